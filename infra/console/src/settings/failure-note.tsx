/** What the API said instead of doing what was asked: in the person's language, with the mail server's own words. */
import { type ReactNode, useEffect, useRef } from "react";
import { ApiFailure } from "../api/client";
import { toldFailure, useWords } from "../language/language";
import type { Words } from "../language/words";
import { Box, Said } from "./layout";
import type { Problems } from "./values";

interface Props {
  failure: unknown;
  /** What helps, where there is more to it than words. */
  children?: ReactNode;
}

export function FailureNote({ failure, children }: Props) {
  const words = useWords();
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (failure) place.current?.scrollIntoView({ block: "nearest" });
  }, [failure]);
  if (!failure) return null;
  const details = failure instanceof ApiFailure ? failure.details : {};
  const other = details.also as { code: string; message: string } | undefined;
  return (
    <div ref={place}>
      <Box tone="bad" live>
        <p>
          {directionOf(details) === "outgoing" ? `${words.settings.atOutgoing} ` : null}
          {toldFailure(words, failure)}
        </p>
        {typeof details.server_said === "string" ? <Said>{details.server_said}</Said> : null}
        {other ? (
          <p>
            {words.settings.atOutgoing}{" "}
            {toldFailure(words, new ApiFailure(422, other.code, other.message, other as unknown as Details))}
          </p>
        ) : null}
        {children}
      </Box>
    </div>
  );
}

type Details = Record<string, unknown>;

function directionOf(details: Details): string | null {
  return typeof details.direction === "string" ? details.direction : null;
}

/** What of a failure belongs to single fields, by the API's names for them. */
export function fieldProblems(failure: unknown, words: Words): Problems {
  if (!(failure instanceof ApiFailure)) return {};
  const { fields } = failure.details;
  if (Array.isArray(fields)) {
    const named = fields as { field: string; problem: string }[];
    return Object.fromEntries(named.map(({ field, problem }) => [field, words.settings.problems.refused(problem)]));
  }
  // Rules that look at several fields at once name theirs in front of their sentence.
  const named = /^((?:incoming|outgoing|fetch)\.[a-z_]+): (.+)$/s.exec(failure.message);
  return failure.code === "invalid_account" && named?.[1] && named[2]
    ? { [named[1]]: words.settings.problems.refused(named[2]) }
    : {};
}
