import { describe, expect, it } from "vitest";
import type { Account } from "../api/accounts";
import { isAnswered, progressOf } from "./progress";

type Last = NonNullable<Account["last_fetch"]> & { started_at: string };

function anAccount(fetching: { listed: number; remaining: number; stored: number } | null, last: Partial<Last> | null) {
  return { fetching, last_fetch: last } as unknown as Account;
}

describe("the progress of an account", () => {
  it("is unknown before the cycle has said anything", () => {
    expect(progressOf(anAccount(null, null))).toBeNull();
  });
  it("is that of the whole mailbox in a first cycle", () => {
    const account = anAccount({ listed: 400, remaining: 340, stored: 60 }, null);
    expect(progressOf(account)).toEqual({ done: 60, total: 400 });
  });
  it("is that of the whole mailbox while a backlog is left", () => {
    const account = anAccount({ listed: 400, remaining: 280, stored: 20 }, { remaining: 300 });
    expect(progressOf(account)).toEqual({ done: 120, total: 400 });
  });
  it("is that of the new messages once everything else is there", () => {
    const account = anAccount({ listed: 10_003, remaining: 1, stored: 2 }, { remaining: 0 });
    expect(progressOf(account)).toEqual({ done: 2, total: 3 });
  });
});

describe("a check", () => {
  const asked = "2026-11-26T10:00:00Z";
  it("is open while no cycle has ended", () => {
    expect(isAnswered(anAccount(null, null), asked)).toBe(false);
  });
  it("is open while the last cycle had begun before it", () => {
    const underWay = { started_at: "2026-11-26T09:59:59Z", at: "2026-11-26T10:00:02Z" };
    expect(isAnswered(anAccount(null, underWay), asked)).toBe(false);
  });
  it("is answered by a cycle that began after it", () => {
    const after = { started_at: "2026-11-26T10:00:01Z", at: "2026-11-26T10:00:02Z" };
    expect(isAnswered(anAccount(null, after), asked)).toBe(true);
  });
  it("is answered by a cycle that began with it, as the server drops it then", () => {
    const same = { started_at: "2026-11-26T10:00:00.000Z", at: "2026-11-26T10:00:02Z" };
    expect(isAnswered(anAccount(null, same), asked)).toBe(true);
  });
});
