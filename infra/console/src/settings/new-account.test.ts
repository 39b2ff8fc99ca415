import { describe, expect, it } from "vitest";
import type { FoundSettings } from "../api/providers";
import { english } from "../language/english";
import { accountOf, intervalsFrom, problemsOfNew, proposed } from "./new-account";

function found(changes: Partial<FoundSettings> = {}): FoundSettings {
  return {
    email: "anna@example.com",
    source: "srv",
    provider: null,
    incoming: { host: "pop.example.com", port: 995, security: "tls", username: "anna" },
    outgoing: { host: "smtp.example.com", port: 587, security: "starttls", username: "anna" },
    sign_in_methods: ["password"],
    oauth_provider: null,
    shortest_interval_minutes: 1,
    recommended_interval_minutes: 5,
    help: "",
    needs_confirmation: false,
    ...changes,
  };
}

describe("what is proposed for an address", () => {
  it("is the servers that were found, with the password that was entered", () => {
    const values = proposed(found(), "secret", false);
    expect(values.incoming).toEqual({
      host: "pop.example.com",
      port: "995",
      security: "tls",
      username: "anna",
      password: "secret",
    });
    expect(values.outgoing).toMatchObject({ host: "smtp.example.com", port: "587", security: "starttls" });
    expect(values.sends).toBe(true);
  });
  it("is usual ports and the address as user name where nothing was found", () => {
    const nothing = { source: null, incoming: null, outgoing: null, sign_in_methods: [] };
    const values = proposed(found(nothing), "secret", false);
    expect(values.incoming).toMatchObject({ host: "", port: "995", security: "tls", username: "anna@example.com" });
    expect(values.outgoing).toMatchObject({ host: "", port: "465" });
  });
  it("is to receive only where no server for sending was found", () => {
    expect(proposed(found({ outgoing: null }), "", false).sends).toBe(false);
  });
  it("is the interval that the provider recommends", () => {
    expect(proposed(found({ recommended_interval_minutes: 15 }), "", false).retrieval.interval).toBe(15);
  });
  it.each([
    ["consent where popfetch is registered there", ["app_password", "oauth2"] as const, true, "oauth2"],
    ["a password where it is not", ["app_password", "oauth2"] as const, false, "password"],
    ["consent where nothing else opens the mailbox", ["oauth2"] as const, false, "oauth2"],
  ])("is %s", (_, methods, ready, expected) => {
    expect(proposed(found({ sign_in_methods: [...methods] }), "", ready).auth).toBe(expected);
  });
});

describe("the account that is added", () => {
  it("takes the incoming password for both servers", () => {
    const account = accountOf(proposed(found(), "secret", false), true);
    expect(account.outgoing).toMatchObject({ host: "smtp.example.com", password: "secret" });
  });
  it("has a password of its own for sending where there is one", () => {
    const values = { ...proposed(found(), "secret", false), samePassword: false };
    values.outgoing.password = "other";
    expect(accountOf(values, true).outgoing).toMatchObject({ password: "other" });
  });
  it("has no password where its owner consents at the provider", () => {
    const account = accountOf(proposed(found({ sign_in_methods: ["oauth2"] }), "secret", true), true);
    expect(account.incoming).not.toHaveProperty("password");
    expect(account.outgoing).not.toHaveProperty("password");
  });
  it("has no outgoing server where it only receives", () => {
    const values = { ...proposed(found(), "secret", false), sends: false };
    expect(accountOf(values, true)).not.toHaveProperty("outgoing");
  });
});

describe("what is missing", () => {
  it("is asked for where the look-up did not find it", () => {
    const values = proposed(found({ incoming: null, outgoing: null }), "", false);
    expect(Object.keys(problemsOfNew(values, english.settings.problems))).toEqual([
      "incoming.host",
      "outgoing.host",
      "incoming.password",
    ]);
  });
});

describe("the intervals to choose from", () => {
  it("are no shorter than the provider tolerates", () => {
    expect(intervalsFrom(15)[0]).toBe(15);
  });
  it("have the one that is set", () => {
    expect(intervalsFrom(15, 5).slice(0, 2)).toEqual([5, 15]);
  });
});
