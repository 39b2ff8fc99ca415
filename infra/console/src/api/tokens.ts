/**
 * The id token of who is signed in, in memory alone: a script that gets in finds nothing that lasts.
 *
 * What renews it is a cookie that no script sees.
 */

export interface Tokens {
  idToken: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
  email: string;
}

const EARLY_MS = 60_000;

let held: Tokens | null = null;
let renewing: Promise<string | null> | null = null;
let renew: () => Promise<Tokens | null> = async () => null;

/** Say how a token is renewed; the session does, once. */
export function renewTokensBy(how: () => Promise<Tokens | null>): void {
  renew = how;
}

/** Hold the tokens of a sign-in; null forgets them. */
export function holdTokens(tokens: Tokens | null): void {
  held = tokens;
}

/** The token to send: renewed first where it is about to end. Null while nobody is signed in. */
export async function currentToken(): Promise<string | null> {
  if (!held) return null;
  return held.expiresAt - EARLY_MS > Date.now() ? held.idToken : renewedToken();
}

/** A new token; several calls at once share one renewal. Null where the session has ended. */
export function renewedToken(): Promise<string | null> {
  renewing ??= renew()
    .then((tokens) => {
      held = tokens;
      return tokens?.idToken ?? null;
    })
    .finally(() => {
      renewing = null;
    });
  return renewing;
}
