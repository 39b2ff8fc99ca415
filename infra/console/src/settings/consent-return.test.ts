import { describe, expect, it } from "vitest";
import { readOutcome } from "./consent-return";

describe("what the browser brings back", () => {
  it("is nothing in an ordinary address", () => {
    expect(readOutcome("")).toBeNull();
    expect(readOutcome("?oauth=whatever&account=a")).toBeNull();
  });
  it("is a consent, with or without a trouble beside it", () => {
    expect(readOutcome("?oauth=connected&account=a")).toEqual({ connected: true, accountId: "a", code: "" });
    expect(readOutcome("?oauth=connected&account=a&code=too_frequent")).toMatchObject({ code: "too_frequent" });
  });
  it("is a failure with its code", () => {
    expect(readOutcome("?oauth=failed&account=a&code=consent_refused")).toMatchObject({
      connected: false,
      code: "consent_refused",
    });
  });
});
