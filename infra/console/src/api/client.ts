/**
 * The API, typed by its own description.
 *
 * Every call carries the id token of the session, is tried once more with a new token when it has ended, and fails as
 * `ApiFailure`, which knows the API's code for what happened.
 */
import createClient, { type Middleware } from "openapi-fetch";
import type { paths } from "./schema";
import { currentToken, renewedToken } from "./tokens";

/** What the API said instead of an answer; `code` is popfetch's word for it, `message` its English sentence. */
export class ApiFailure extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: Record<string, unknown> = {},
  ) {
    super(message);
    this.name = "ApiFailure";
  }

  /** True where the same request may well succeed in a moment. */
  get passes(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** The address that the API is reached at, without a slash at its end. */
export const apiUrl = new URL(".", document.baseURI).href.replace(/\/$/, "");

const authorized: Middleware = {
  async onRequest({ request }) {
    const token = await currentToken();
    if (!token) throw new ApiFailure(401, "signed_out", "Your session has ended. Sign in again.");
    request.headers.set("Authorization", token);
    return request;
  },
  async onResponse({ request, response }) {
    if (response.status !== 401) return response;
    const token = await renewedToken(request.headers.get("Authorization") ?? "");
    if (!token) return response;
    const again = new Request(request.url, {
      method: request.method,
      headers: request.headers,
      body: bodies.get(request) ?? null,
      signal: request.signal,
    });
    again.headers.set("Authorization", token);
    return fetch(again);
  },
};

/** The bodies of requests under way, as a request's own can be read only once. */
const bodies = new WeakMap<Request, string>();

const remembering: Middleware = {
  async onRequest({ request }) {
    if (request.body) bodies.set(request, await request.clone().text());
    return request;
  },
};

export const api = createClient<paths>({ baseUrl: apiUrl });
api.use(remembering, authorized);

/** The answer of a call. Throws ApiFailure. */
export async function answered<Data>(
  call: Promise<{ data?: Data; error?: unknown; response: Response }>,
): Promise<Data> {
  const { data, error, response } = await call.catch((reason: unknown) => {
    if (reason instanceof DOMException && reason.name === "AbortError") throw reason;
    // The token could not be renewed, for a reason that is known.
    if (reason instanceof ApiFailure) throw reason;
    throw new ApiFailure(0, "unreachable", "popfetch cannot be reached. Are you online?");
  });
  if (response.ok) return data as Data;
  throw failureOf(response.status, error);
}

/** A failure as the API tells it, whatever came in its place. */
export function failureOf(status: number, body: unknown): ApiFailure {
  const told = (body as { error?: { code?: string; message?: string; details?: Record<string, unknown> } } | null)
    ?.error;
  return new ApiFailure(
    status,
    told?.code ?? "unknown",
    told?.message ?? `The server answered ${status}.`,
    told?.details ?? {},
  );
}
