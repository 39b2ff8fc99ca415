/** Where one is in the mail, as an address: which list, narrowed to what, and what stands beside it. */
import { ALL, type Kind, type MessageName, type Scope, type Search } from "../api/messages";

export type Answering = "reply" | "reply-all" | "forward" | "forward-whole";

/** What stands beside the list. */
export type Beside =
  | { kind: "nothing" }
  | { kind: "message"; name: MessageName }
  /** `to`: whom a new mail is for, where a link says so; or the whole mailto: link, where it says more. */
  | { kind: "compose"; answering: { how: Answering; name: MessageName } | null; to: string };

export interface MailRoute {
  /** Null: the default account's. */
  scope: Scope | null;
  search: Search;
  beside: Beside;
}

export const NEW_MAIL: Extract<Beside, { kind: "compose" }> = { kind: "compose", answering: null, to: "" };
export const NO_SEARCH: Search = { q: "", sender: "", subject: "", since: "", before: "", kind: "all" };

const ANSWERINGS: readonly string[] = ["reply", "reply-all", "forward", "forward-whole"] satisfies Answering[];
const KINDS: readonly string[] = ["received", "sent"] satisfies Kind[];
const WORDS = ["q", "sender", "subject"] as const;
const DATES = ["since", "before"] as const;
const DATE = /^\d{4}-\d{2}-\d{2}$/;

/** The route of an address; what makes no sense in it is left out. */
export function routeOf(path: string, query: string): MailRoute {
  const [, , scope, what, how] = path.split("/");
  return { scope: scope || null, search: searchOf(query), beside: besideOf(what, how, query) };
}

function besideOf(what: string | undefined, how: string | undefined, query: string): Beside {
  if (what === "new") return { ...NEW_MAIL, to: new URLSearchParams(query).get("to") ?? "" };
  const [accountId, messageId] = what?.split(":") ?? [];
  if (!accountId || !messageId) return { kind: "nothing" };
  const name = { accountId, messageId };
  if (how && ANSWERINGS.includes(how)) return { ...NEW_MAIL, answering: { how: how as Answering, name } };
  return { kind: "message", name };
}

function searchOf(query: string): Search {
  const given = new URLSearchParams(query);
  const search: Search = { ...NO_SEARCH };
  for (const field of WORDS) search[field] = given.get(field)?.trim() ?? "";
  for (const field of DATES) {
    const date = given.get(field) ?? "";
    if (DATE.test(date) && !Number.isNaN(Date.parse(`${date}T00:00`))) search[field] = date;
  }
  const kind = given.get("kind");
  if (kind && KINDS.includes(kind)) search.kind = kind as Kind;
  return search;
}

/** The address of a route. */
export function addressOf({ scope, search, beside }: MailRoute): string {
  const query = new URLSearchParams();
  for (const field of [...WORDS, ...DATES]) if (search[field]) query.set(field, search[field]);
  if (search.kind !== "all") query.set("kind", search.kind);
  if (beside.kind === "compose" && beside.to) query.set("to", beside.to);
  const parts = ["/mail", ...(scope ? [scope] : beside.kind === "nothing" ? [] : [ALL]), ...besideParts(beside)];
  return parts.join("/") + (query.size ? `?${query}` : "");
}

function besideParts(beside: Beside): string[] {
  const named = ({ accountId, messageId }: MessageName) => `${accountId}:${messageId}`;
  switch (beside.kind) {
    case "nothing":
      return [];
    case "message":
      return [named(beside.name)];
    case "compose":
      return beside.answering ? [named(beside.answering.name), beside.answering.how] : ["new"];
  }
}

/** Whether a search narrows anything. */
export function isNarrowed(search: Search): boolean {
  return filtersOf(search) > 0 || search.q !== "";
}

/** How many of the fields beside the words narrow a search. */
export function filtersOf(search: Search): number {
  const fields = [search.sender, search.subject, search.since, search.before];
  return fields.filter(Boolean).length + (search.kind === "all" ? 0 : 1);
}
