import { beforeEach, describe, expect, it, vi } from "vitest";
import { currentToken, holdTokens, renewedToken, renewTokensBy, type Tokens } from "./tokens";

const HOUR_MS = 3_600_000;

function tokensOf(email: string, idToken: string, endsIn = HOUR_MS): Tokens {
  return { email, idToken, expiresAt: Date.now() + endsIn };
}

/** A renewal that answers when it is told to. */
function aRenewal() {
  let brings: (tokens: Tokens | null) => void = () => {};
  let fails: (reason: Error) => void = () => {};
  const answer = new Promise<Tokens | null>((resolve, reject) => {
    brings = resolve;
    fails = reject;
  });
  const renew = vi.fn(() => answer);
  const onReplaced = vi.fn(holdTokens);
  renewTokensBy(renew, onReplaced);
  return { renew, onReplaced, brings, fails };
}

describe("the token to send", () => {
  beforeEach(() => holdTokens(null));

  it("is none while nobody is signed in", async () => {
    const { renew } = aRenewal();
    expect(await currentToken()).toBeNull();
    expect(renew).not.toHaveBeenCalled();
  });
  it("is the held one while it lasts", async () => {
    holdTokens(tokensOf("anna@example.com", "a1"));
    expect(await currentToken()).toBe("a1");
  });
  it("is renewed before it ends, once for all that ask", async () => {
    const { renew, brings } = aRenewal();
    holdTokens(tokensOf("anna@example.com", "a1", 1_000));
    const asked = [currentToken(), currentToken()];
    brings(tokensOf("anna@example.com", "a2"));
    expect(await Promise.all(asked)).toEqual(["a2", "a2"]);
    expect(await currentToken()).toBe("a2");
    expect(renew).toHaveBeenCalledOnce();
  });
  it("is renewed again after a renewal that failed", async () => {
    const failing = aRenewal();
    holdTokens(tokensOf("anna@example.com", "a1"));
    failing.fails(new Error("offline"));
    await expect(renewedToken("a1")).rejects.toThrow("offline");
    aRenewal().brings(tokensOf("anna@example.com", "a2"));
    expect(await renewedToken("a1")).toBe("a2");
  });
});

describe("a renewal", () => {
  beforeEach(() => holdTokens(null));

  it("ends the sign-in where the session has ended", async () => {
    const { onReplaced, brings } = aRenewal();
    holdTokens(tokensOf("anna@example.com", "a1"));
    brings(null);
    expect(await renewedToken("a1")).toBeNull();
    expect(onReplaced).toHaveBeenCalledExactlyOnceWith(null);
    expect(await currentToken()).toBeNull();
  });
  it("tells who has signed in instead, and gives their token to no request of who was", async () => {
    const { onReplaced, brings } = aRenewal();
    const berta = tokensOf("berta@example.com", "b1");
    holdTokens(tokensOf("anna@example.com", "a1"));
    brings(berta);
    expect(await renewedToken("a1")).toBeNull();
    expect(onReplaced).toHaveBeenCalledExactlyOnceWith(berta);
    expect(await renewedToken("a1")).toBeNull();
    expect(await currentToken()).toBe("b1");
  });
  it("changes nothing where somebody has signed in meanwhile", async () => {
    const { onReplaced, brings } = aRenewal();
    holdTokens(tokensOf("anna@example.com", "a1"));
    const asked = renewedToken("a1");
    holdTokens(tokensOf("berta@example.com", "b1"));
    brings(tokensOf("anna@example.com", "a2"));
    expect(await asked).toBeNull();
    expect(onReplaced).not.toHaveBeenCalled();
    expect(await currentToken()).toBe("b1");
  });
  it("signs nobody in who has signed out meanwhile", async () => {
    const { brings } = aRenewal();
    holdTokens(tokensOf("anna@example.com", "a1"));
    const asked = renewedToken("a1");
    holdTokens(null);
    brings(tokensOf("anna@example.com", "a2"));
    expect(await asked).toBeNull();
    expect(await currentToken()).toBeNull();
  });
});
