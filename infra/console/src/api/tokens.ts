/**
 * The id token of who is signed in, in memory alone: a script that gets in finds nothing that lasts.
 *
 * What renews it is a cookie that no script sees. All tabs share it, so that a renewal may bring somebody else, who has
 * signed in in another tab: no request that was begun for one person ever goes on with the token of another.
 */

export interface Tokens {
  idToken: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
  email: string;
}

const EARLY_MS = 60_000;

let held: Tokens | null = null;
/** The tokens of this sign-in, the held one and those that it replaced. */
const ours = new Set<string>();
let renewing: Promise<string | null> | null = null;
let renew: () => Promise<Tokens | null> = async () => null;
let replace: (tokens: Tokens | null) => void = holdTokens;

/**
 * Say how a token is renewed, and what is done where that ends the sign-in: with the tokens of who is signed in
 * instead, or null where nobody is. The session says so.
 */
export function renewTokensBy(how: () => Promise<Tokens | null>, onReplaced: (tokens: Tokens | null) => void): void {
  renew = how;
  replace = onReplaced;
}

/** Hold the tokens of a sign-in; null forgets them. */
export function holdTokens(tokens: Tokens | null): void {
  held = tokens;
  ours.clear();
  if (tokens) ours.add(tokens.idToken);
  // One that is under way is for who was signed in before.
  renewing = null;
}

/** The token to send: renewed first where it is about to end. Null while nobody is signed in. */
export async function currentToken(): Promise<string | null> {
  if (!held) return null;
  return held.expiresAt - EARLY_MS > Date.now() ? held.idToken : renewedToken(held.idToken);
}

/**
 * A new token in the place of one; several calls at once share one renewal. Null where the sign-in that the token is of
 * has ended.
 */
export async function renewedToken(old: string): Promise<string | null> {
  if (!held || !ours.has(old)) return null;
  renewing ??= renewalFor(held.email);
  return renewing;
}

function renewalFor(email: string): Promise<string | null> {
  const renewal = renew().then(
    (tokens) => {
      // Somebody has signed in or out meanwhile.
      if (renewing !== renewal) return null;
      renewing = null;
      if (tokens?.email !== email) {
        replace(tokens);
        return null;
      }
      held = tokens;
      ours.add(tokens.idToken);
      return tokens.idToken;
    },
    (reason) => {
      if (renewing === renewal) renewing = null;
      throw reason;
    },
  );
  return renewal;
}
