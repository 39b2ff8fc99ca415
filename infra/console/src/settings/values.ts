/** An account's settings as its forms hold them, what is wrong with them, and the change that they ask for. */
import type { Account, AccountPatch, Direction, FetchSettings, Security, Server, ServerPatch } from "../api/accounts";
import type { Words } from "../language/words";

export const INTERVALS = [1, 2, 3, 5, 10, 15, 20, 30, 60, 120, 360, 720, 1440] as const;
export const RECOMMENDED_INTERVAL = 5;
export const MESSAGES_PER_CYCLE = [20, 30, 50, 75, 100, 150, 200] as const;
export const RECOMMENDED_MESSAGES: readonly number[] = [100, 150];
export const SECURITIES = ["tls", "starttls", "none"] as const;
export const LONGEST_WAIT_DAYS = 3650;

/** The ports that servers usually have, by how the connection is protected. */
export const USUAL_PORTS: Record<Direction, Record<Security, number>> = {
  incoming: { tls: 995, starttls: 110, none: 110 },
  outgoing: { tls: 465, starttls: 587, none: 587 },
};

export interface ServerValues {
  host: string;
  port: string;
  security: Security;
  username: string;
  /** A new one; empty where the one that is kept stays. */
  password: string;
}

export interface RetrievalValues {
  interval: number;
  perCycle: number;
  catchUp: boolean;
  start: "all" | "now" | "since";
  /** An ISO date, for `since`. */
  since: string;
  order: FetchSettings["order"];
  afterFetch: FetchSettings["after_fetch"];
  days: string;
}

export interface AccountValues {
  name: string;
  email: string;
  incoming: ServerValues;
  outgoing: ServerValues | null;
  retrieval: RetrievalValues;
}

/** What is wrong, by the API's name of the field: `incoming.host`. */
export type Problems = Record<string, string>;

type ProblemWords = Words["settings"]["problems"];

/** A server that nothing is known of yet. */
export function emptyServer(direction: Direction, username: string): ServerValues {
  return { host: "", port: String(USUAL_PORTS[direction].tls), security: "tls", username, password: "" };
}

/** The server with another protection; a usual port follows it. */
export function withSecurity(server: ServerValues, direction: Direction, security: Security): ServerValues {
  const usual = server.port === "" || Number(server.port) === USUAL_PORTS[direction][server.security];
  return { ...server, security, port: usual ? String(USUAL_PORTS[direction][security]) : server.port };
}

/** The settings of an account, to be changed. */
export function valuesOf(account: Account): AccountValues {
  return {
    name: account.name,
    email: account.email,
    incoming: serverValues(account.incoming),
    outgoing: account.outgoing ? serverValues(account.outgoing) : null,
    retrieval: retrievalValues(account.fetch),
  };
}

function serverValues({ host, port, security, username }: Server): ServerValues {
  return { host, port: String(port), security, username, password: "" };
}

export function retrievalValues(fetch: FetchSettings): RetrievalValues {
  const since = fetch.start !== "all" && fetch.start !== "now";
  return {
    interval: fetch.interval_minutes,
    perCycle: fetch.max_messages_per_cycle,
    catchUp: fetch.catch_up,
    start: since ? "since" : (fetch.start as "all" | "now"),
    since: since ? fetch.start : "",
    order: fetch.order,
    afterFetch: fetch.after_fetch,
    days: String(fetch.delete_after_days ?? 30),
  };
}

/**
 * Fresh values with what was typed over them: what `now` differs in from what `was`.
 *
 * A server stays as a whole: a password that was typed is for the host beside it.
 */
export function rebased(was: AccountValues, now: AccountValues, fresh: AccountValues): AccountValues {
  return {
    name: now.name === was.name ? fresh.name : now.name,
    email: now.email === was.email ? fresh.email : now.email,
    incoming: rebasedServer(was.incoming, now.incoming, fresh.incoming),
    outgoing: rebasedServer(was.outgoing, now.outgoing, fresh.outgoing),
    retrieval: { ...fresh.retrieval, ...differing(was.retrieval, now.retrieval) },
  };
}

function rebasedServer<One extends ServerValues | null>(was: One, now: One, fresh: One): One {
  if (!was || !now) return now === was ? fresh : now;
  if (Object.keys(differing(was, now)).length === 0) return fresh;
  // A password that stood there before was sent, and is kept by popfetch.
  return now.password === was.password ? { ...now, password: "" } : now;
}

function differing<Values extends object>(was: Values, now: Values): Partial<Values> {
  const named = Object.entries(now).filter(([name, value]) => value !== was[name as keyof Values]);
  return Object.fromEntries(named) as Partial<Values>;
}

/** The settings of collecting as the API has them. */
export function fetchSettings(values: RetrievalValues): FetchSettings {
  return {
    interval_minutes: values.interval,
    max_messages_per_cycle: values.perCycle,
    catch_up: values.catchUp,
    start: values.start === "since" ? values.since : values.start,
    order: values.order,
    after_fetch: values.afterFetch,
    delete_after_days: values.afterFetch === "delete_after_days" ? Number(values.days) : null,
  };
}

/**
 * Whether a server needs its password again: a stored one only ever goes to the host that it was entered for, and not
 * over a connection that has lost its protection.
 */
export function needsPassword(before: Server | null, after: ServerValues): boolean {
  if (!before) return true;
  if (before.auth === "oauth2") return false;
  const elsewhere = after.host.trim() !== before.host;
  return elsewhere || (after.security === "none" && before.security !== "none");
}

/** The change that the forms ask for: what differs from the account, and nothing else; null where nothing does. */
export function patchOf(account: Account, values: AccountValues): AccountPatch | null {
  const name = values.name.trim();
  const email = values.email.trim();
  const incoming = serverPatch(account.incoming, values.incoming);
  const fetch = fetchPatch(account.fetch, fetchSettings(values.retrieval));
  const patch: Omit<AccountPatch, "verify"> = {
    ...(name !== account.name && { name }),
    ...(email !== account.email && { email }),
    ...(incoming && { incoming }),
    ...outgoingPatch(account, values.outgoing),
    ...(fetch && { fetch }),
  };
  return Object.keys(patch).length > 0 ? { ...patch, verify: true } : null;
}

/** The change by which a password takes the place of consent, at each server that is opened by consent. */
export function passwordsInstead({ incoming, outgoing }: Account, password: string): AccountPatch {
  const instead: ServerPatch = { auth: "password", password };
  return {
    ...(incoming.auth === "oauth2" && { incoming: instead }),
    ...(outgoing?.auth === "oauth2" && { outgoing: instead }),
    verify: true,
  };
}

function outgoingPatch({ outgoing, incoming }: Account, values: ServerValues | null): Pick<AccountPatch, "outgoing"> {
  if (!values) return outgoing ? { outgoing: null } : {};
  const patch = serverPatch(outgoing, values);
  if (!patch) return {};
  const byToken = !outgoing && incoming.auth === "oauth2" && !values.password;
  return { outgoing: byToken ? { ...patch, auth: "oauth2" } : patch };
}

function serverPatch(before: Server | null, after: ServerValues): ServerPatch | null {
  const host = after.host.trim();
  const username = after.username.trim();
  const port = Number(after.port);
  const secured = after.security !== before?.security;
  const patch: ServerPatch = {
    ...(host !== before?.host && { host }),
    // A port that is left out would follow the security.
    ...((secured || port !== before?.port) && { port }),
    ...(secured && { security: after.security }),
    ...(username !== before?.username && { username }),
    ...(after.password && { password: after.password }),
  };
  return Object.keys(patch).length > 0 ? patch : null;
}

function fetchPatch(before: FetchSettings, after: FetchSettings): NonNullable<AccountPatch["fetch"]> | null {
  const changed = Object.entries(after).filter(
    ([name, value]) => value !== null && value !== before[name as keyof FetchSettings],
  );
  return changed.length > 0 ? Object.fromEntries(changed) : null;
}

/** What is wrong with a server's settings. */
export function problemsOfServer(server: ServerValues, direction: Direction, words: ProblemWords): Problems {
  const port = Number(server.port);
  const problems: Problems = {};
  if (!server.host.trim()) problems[`${direction}.host`] = words.required;
  else if (!/^[^\s/:@]+$/.test(server.host.trim())) problems[`${direction}.host`] = words.host;
  if (!Number.isInteger(port) || port < 1 || port > 65_535) problems[`${direction}.port`] = words.port;
  if (!server.username.trim()) problems[`${direction}.username`] = words.required;
  return problems;
}

/** What is wrong with the settings of collecting. */
export function problemsOfRetrieval(values: RetrievalValues, words: ProblemWords): Problems {
  const days = Number(values.days);
  const problems: Problems = {};
  if (values.start === "since" && !values.since) problems["fetch.start"] = words.date;
  const dated = values.afterFetch === "delete_after_days";
  if (dated && (!Number.isInteger(days) || days < 1 || days > LONGEST_WAIT_DAYS)) {
    problems["fetch.delete_after_days"] = words.days;
  }
  return problems;
}

/** What is wrong with the settings of an account. */
export function problemsOf(account: Account, values: AccountValues, words: ProblemWords): Problems {
  const problems: Problems = {
    ...problemsOfServer(values.incoming, "incoming", words),
    ...(values.outgoing ? problemsOfServer(values.outgoing, "outgoing", words) : {}),
    ...problemsOfRetrieval(values.retrieval, words),
  };
  if (!values.name.trim()) problems.name = words.required;
  if (!isAddress(values.email)) problems.email = words.email;
  const byToken = account.incoming.auth === "oauth2";
  if (needsPassword(account.incoming, values.incoming) && !values.incoming.password) {
    problems["incoming.password"] = words.passwordAgain;
  }
  if (values.outgoing && !values.outgoing.password && needsPassword(account.outgoing, values.outgoing)) {
    const tokenServes = !account.outgoing && byToken;
    if (!tokenServes) problems["outgoing.password"] = account.outgoing ? words.passwordAgain : words.required;
  }
  return problems;
}

/** Whether a text looks like an e-mail address; the API knows for certain. */
export function isAddress(text: string): boolean {
  return /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text.trim());
}
