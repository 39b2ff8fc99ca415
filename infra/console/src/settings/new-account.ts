/** An account that is about to be added: what is found for its address becomes what is proposed. */
import type { NewAccount, NewServer } from "../api/accounts";
import type { FoundServer, FoundSettings } from "../api/providers";
import type { Words } from "../language/words";
import {
  emptyServer,
  fetchSettings,
  INTERVALS,
  type Problems,
  problemsOfRetrieval,
  problemsOfServer,
  RECOMMENDED_INTERVAL,
  type RetrievalValues,
  type ServerValues,
} from "./values";

export interface NewAccountValues {
  email: string;
  name: string;
  /** Signed in to at the provider, or with a password. */
  auth: "password" | "oauth2";
  incoming: ServerValues;
  sends: boolean;
  outgoing: ServerValues;
  /** The outgoing server takes the incoming one's password. */
  samePassword: boolean;
  retrieval: RetrievalValues;
}

/** What is recommended for collecting, at a server that wants no fewer minutes than `interval`. */
export function recommendedRetrieval(interval: number = RECOMMENDED_INTERVAL): RetrievalValues {
  return {
    interval,
    perCycle: 100,
    catchUp: true,
    start: "all",
    since: "",
    order: "newest_first",
    afterFetch: "keep",
    days: "30",
  };
}

/** What is proposed for an address; `consentReady` says whether popfetch is registered at who gives its tokens. */
export function proposed(found: FoundSettings, password: string, consentReady: boolean): NewAccountValues {
  const { email } = found;
  return {
    email,
    name: "",
    auth: offersConsent(found) && (consentReady || !offersPassword(found)) ? "oauth2" : "password",
    incoming: found.incoming ? serverOf(found.incoming, password) : { ...emptyServer("incoming", email), password },
    sends: found.outgoing !== null || found.incoming === null,
    outgoing: found.outgoing ? serverOf(found.outgoing, "") : emptyServer("outgoing", email),
    samePassword: true,
    retrieval: recommendedRetrieval(found.recommended_interval_minutes ?? RECOMMENDED_INTERVAL),
  };
}

function serverOf({ host, port, security, username }: FoundServer, password: string): ServerValues {
  return { host, port: String(port), security, username, password };
}

export function offersConsent(found: FoundSettings): boolean {
  return found.sign_in_methods.includes("oauth2");
}

/** Whether a password of some kind opens the mailbox; where nothing is known, one may. */
export function offersPassword(found: FoundSettings): boolean {
  return found.sign_in_methods.length === 0 || found.sign_in_methods.some((method) => method !== "oauth2");
}

/** The intervals that a server tolerates, and the one that is set. */
export function intervalsFrom(shortest: number | null, set?: number): number[] {
  return INTERVALS.filter((minutes) => minutes >= (shortest ?? 1) || minutes === set);
}

/** What is missing or wrong before an account can be added. */
export function problemsOfNew(values: NewAccountValues, words: Words["settings"]["problems"]): Problems {
  const problems: Problems = {
    ...problemsOfServer(values.incoming, "incoming", words),
    ...(values.sends ? problemsOfServer(values.outgoing, "outgoing", words) : {}),
    ...problemsOfRetrieval(values.retrieval, words),
  };
  if (values.auth === "password") {
    if (!values.incoming.password) problems["incoming.password"] = words.required;
    if (values.sends && !values.samePassword && !values.outgoing.password) {
      problems["outgoing.password"] = words.required;
    }
  }
  return problems;
}

/** The account as the API takes it. */
export function accountOf(values: NewAccountValues, verify: boolean): NewAccount {
  const { auth, incoming, outgoing } = values;
  const outgoingPassword = values.samePassword ? incoming.password : outgoing.password;
  const { delete_after_days: days, ...fetch } = fetchSettings(values.retrieval);
  return {
    email: values.email.trim(),
    ...(values.name.trim() && { name: values.name.trim() }),
    incoming: serverIn(incoming, auth, incoming.password),
    ...(values.sends && { outgoing: serverIn(outgoing, auth, outgoingPassword) }),
    fetch: {
      ...fetch,
      interval_minutes: fetch.interval_minutes as (typeof INTERVALS)[number],
      ...(days && { delete_after_days: days }),
    },
    verify,
  };
}

function serverIn(server: ServerValues, auth: "password" | "oauth2", password: string): NewServer {
  const place = {
    host: server.host.trim(),
    port: Number(server.port),
    security: server.security,
    username: server.username.trim(),
  };
  return auth === "oauth2" ? { ...place, auth } : { ...place, auth, password };
}
