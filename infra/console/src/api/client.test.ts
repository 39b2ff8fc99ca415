import { beforeEach, describe, expect, it, vi } from "vitest";
import { holdTokens, renewTokensBy, type Tokens } from "./tokens";

const HOUR_MS = 3_600_000;
const fetched = vi.fn<typeof fetch>();
vi.stubGlobal("fetch", fetched);
// It takes the fetch that is there when it is made.
const { ApiFailure, answered, api } = await import("./client");

function annasTokens(idToken: string, endsIn = HOUR_MS): Tokens {
  return { email: "anna@example.com", idToken, expiresAt: Date.now() + endsIn };
}

function anAnswer(status: number, body: object): Response {
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
}

/** The tokens that the requests were sent with. */
function sentTokens() {
  return fetched.mock.calls.map(([request]) => (request as Request).headers.get("Authorization"));
}

const readAccounts = () => answered(api.GET("/accounts"));

describe("a call", () => {
  beforeEach(() => {
    fetched.mockReset();
    renewTokensBy(async () => annasTokens("a2"), holdTokens);
    holdTokens(annasTokens("a1"));
  });

  it("carries the token of who is signed in", async () => {
    fetched.mockResolvedValue(anAnswer(200, { accounts: [] }));
    expect(await readAccounts()).toEqual({ accounts: [] });
    expect(sentTokens()).toEqual(["a1"]);
  });
  it("is tried once more with a new token where the token is refused", async () => {
    fetched.mockImplementation(async () => anAnswer(401, { error: { code: "unauthorized" } }));
    await expect(readAccounts()).rejects.toMatchObject({ status: 401, code: "unauthorized" });
    expect(sentTokens()).toEqual(["a1", "a2"]);
  });
  it("is not tried again for somebody else who has signed in meanwhile", async () => {
    fetched.mockImplementation(async () => {
      holdTokens({ ...annasTokens("b1"), email: "berta@example.com" });
      return anAnswer(401, { error: { code: "unauthorized" } });
    });
    await expect(readAccounts()).rejects.toMatchObject({ code: "unauthorized" });
    expect(sentTokens()).toEqual(["a1"]);
  });
  it("is not sent where the session has ended", async () => {
    renewTokensBy(async () => null, holdTokens);
    holdTokens(annasTokens("a1", 0));
    await expect(readAccounts()).rejects.toMatchObject({ status: 401, code: "signed_out" });
    expect(fetched).not.toHaveBeenCalled();
  });
  it("fails as the renewal of its token does", async () => {
    const failure = new ApiFailure(429, "too_many_requests", "Too often.");
    renewTokensBy(() => Promise.reject(failure), holdTokens);
    holdTokens(annasTokens("a1", 0));
    await expect(readAccounts()).rejects.toBe(failure);
  });
  it("says that popfetch cannot be reached where nothing answers", async () => {
    fetched.mockRejectedValue(new TypeError("Failed to fetch"));
    await expect(readAccounts()).rejects.toMatchObject({ status: 0, code: "unreachable" });
  });
});
