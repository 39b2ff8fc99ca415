/** Signing in and out, renewing, and passwords that were forgotten: the routes that ask for no token. */
import { ApiFailure, apiUrl, failureOf } from "./client";
import type { Tokens } from "./tokens";

interface SessionAnswer {
  id_token?: string;
  expires_at?: string;
  email?: string;
  challenge?: "new_password" | "code";
  session?: string;
}

/** What Cognito asks before it lets somebody in: a password of their own, or the code of their second factor. */
export interface Challenge {
  challenge: "new_password" | "code";
  session: string;
  email: string;
}

export type SignedIn = { tokens: Tokens } | { asked: Challenge };

/** Sign in. Throws ApiFailure: `sign_in_refused`, `too_many_requests` and others. */
export async function signIn(email: string, password: string): Promise<SignedIn> {
  return outcome(await call<SessionAnswer>("POST", "/session", { email, password }), email);
}

/** Answer what was asked. */
export async function answerChallenge(asked: Challenge, answer: string): Promise<SignedIn> {
  return outcome(await call<SessionAnswer>("POST", "/session/answer", { ...asked, answer }), asked.email);
}

/** Renew the session of this browser; null where there is none. */
export async function renewSession(): Promise<Tokens | null> {
  try {
    const renewed = outcome(await call<SessionAnswer>("POST", "/session/renew", {}), "");
    return "tokens" in renewed ? renewed.tokens : null;
  } catch (failure) {
    if (failure instanceof ApiFailure && failure.status === 401) return null;
    throw failure;
  }
}

/** End the session of this browser, here and at Cognito. Throws ApiFailure, also where it was given up by `signal`. */
export async function endSession(signal: AbortSignal): Promise<void> {
  await call("DELETE", "/session", {}, signal);
}

/** Have a code sent to whoever has forgotten a password. */
export async function sendResetCode(email: string): Promise<void> {
  await call("POST", "/session/forgotten", { email });
}

/** Set a new password by the code that was sent. */
export async function resetPassword(email: string, code: string, password: string): Promise<void> {
  await call("POST", "/session/reset", { email, code, password });
}

function outcome(answer: SessionAnswer, email: string): SignedIn {
  if (answer.challenge) return { asked: { challenge: answer.challenge, session: answer.session ?? "", email } };
  return {
    tokens: {
      idToken: answer.id_token ?? "",
      expiresAt: Date.parse(answer.expires_at ?? ""),
      email: answer.email ?? email,
    },
  };
}

async function call<Answer>(method: string, path: string, body: object, signal?: AbortSignal): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(apiUrl + path, {
      method,
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      credentials: "same-origin",
      signal: signal ?? null,
    });
  } catch {
    throw new ApiFailure(0, "unreachable", "popfetch cannot be reached. Are you online?");
  }
  const answer: unknown = await response.json().catch(() => null);
  if (!response.ok) throw failureOf(response.status, answer);
  return answer as Answer;
}
