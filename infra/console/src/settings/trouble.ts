/** What keeps an account from working, and what its owner can do about it: the remedy that comes first. */
import type { Account, Direction } from "../api/accounts";

export type Remedy = "consent" | "password" | "settings" | "check";

export interface Trouble {
  kind: "not_connected" | "sign_in_failed" | "no_connection" | "failing" | "sending";
  direction: Direction;
  remedy: Remedy;
  /** Nothing more happens without its owner. */
  stopped: boolean;
  /** What happened, by the API's code; empty where it has none. */
  code: string;
  /** The API's sentence, with the server's words. */
  message: string;
}

const PASSWORD = new Set(["authentication", "secret_unreadable"]);
const CONSENT = new Set(["consent_needed"]);
const SETTINGS = new Set(["network", "tls", "host_refused", "protocol", "sign_in_off", "deadline"]);

/** The troubles of an account, what stops it first; none where all is well. */
export function troublesOf(account: Account): Trouble[] {
  return [collecting(account), sending(account)].filter((trouble) => trouble !== null);
}

function collecting(account: Account): Trouble | null {
  const error = account.last_fetch?.error ?? null;
  const byToken = account.incoming.auth === "oauth2";
  const told = { direction: "incoming" as const, code: error?.code ?? "", message: error?.message ?? "" };
  if (byToken && account.oauth && !account.oauth.connected) {
    return { ...told, kind: "not_connected", remedy: "consent", stopped: true };
  }
  if (account.status === "auth_failed") {
    const mailbox = told.code === "permanent" || told.code === "pop_not_enabled";
    const remedy = mailbox ? "check" : byToken ? "consent" : "password";
    return { ...told, kind: "sign_in_failed", remedy, stopped: true };
  }
  if (account.status === "connection_failed") {
    return { ...told, kind: "no_connection", remedy: "settings", stopped: true };
  }
  if (!error || account.status === "paused") return null;
  return { ...told, kind: "failing", remedy: remedyOf(error.code, byToken), stopped: false };
}

function sending(account: Account): Trouble | null {
  const { outgoing, outgoing_failure: failure, oauth } = account;
  const byToken = outgoing?.auth === "oauth2";
  if (!outgoing || account.outgoing_status !== "auth_failed") return null;
  // One consent opens both servers, so that it is asked for once.
  if (byToken && account.incoming.auth === "oauth2" && oauth && !oauth.connected) return null;
  const code = failure?.code ?? "consent_needed";
  const remedy = remedyOf(code, byToken);
  return {
    kind: "sending",
    direction: "outgoing",
    remedy: remedy === "check" ? (byToken ? "consent" : "password") : remedy,
    stopped: true,
    code,
    message: failure?.message ?? "",
  };
}

function remedyOf(code: string, byToken: boolean): Remedy {
  if (CONSENT.has(code) || (PASSWORD.has(code) && byToken)) return "consent";
  if (PASSWORD.has(code)) return "password";
  return SETTINGS.has(code) ? "settings" : "check";
}
