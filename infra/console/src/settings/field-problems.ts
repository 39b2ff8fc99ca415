import { ApiFailure } from "../api/client";
import type { Words } from "../language/words";
import type { Problems } from "./values";

/** What of a failure belongs to single fields, by the API's names for them. */
export function fieldProblems(failure: unknown, words: Words): Problems {
  if (!(failure instanceof ApiFailure)) return {};
  const { fields } = failure.details;
  if (Array.isArray(fields)) {
    const named = fields as { field: string; problem: string }[];
    return Object.fromEntries(named.map(({ field, problem }) => [field, words.settings.problems.refused(problem)]));
  }
  // Rules that look at several fields at once name theirs in front of their sentence.
  const named = /^((?:incoming|outgoing|fetch)\.(?!auth:)[a-z_]+): (.+)$/s.exec(failure.message);
  return failure.code === "invalid_account" && named?.[1] && named[2]
    ? { [named[1]]: words.settings.problems.refused(named[2]) }
    : {};
}
