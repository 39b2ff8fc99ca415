import { describe, expect, it } from "vitest";
import type { Account } from "../api/accounts";
import { troublesOf } from "./trouble";

function anAccount(changes: object): Account {
  return {
    status: "active",
    incoming: { auth: "password" },
    outgoing: { auth: "password" },
    outgoing_status: "active",
    outgoing_failure: null,
    oauth: null,
    last_fetch: null,
    ...changes,
  } as unknown as Account;
}

const failed = (code: string) => ({ last_fetch: { error: { code, message: "Said so." } } });
const told = (changes: object) => troublesOf(anAccount(changes)).map(({ kind, remedy }) => `${kind}: ${remedy}`);

describe("the troubles of an account", () => {
  it.each([
    ["none where all is well", {}, []],
    ["none while it is paused", { status: "paused", ...failed("network") }, []],
    ["a new password", { status: "auth_failed", ...failed("authentication") }, ["sign_in_failed: password"]],
    ["a check, once POP is on", { status: "auth_failed", ...failed("pop_not_enabled") }, ["sign_in_failed: check"]],
    ["other settings", { status: "connection_failed", ...failed("network") }, ["no_connection: settings"]],
    ["waiting", { status: "backing_off", ...failed("temporary") }, ["failing: check"]],
    ["a password before it stops", { status: "active", ...failed("authentication") }, ["failing: password"]],
    [
      "one consent for both servers",
      {
        status: "auth_failed",
        incoming: { auth: "oauth2" },
        outgoing: { auth: "oauth2" },
        outgoing_status: "auth_failed",
        oauth: { connected: false },
      },
      ["not_connected: consent"],
    ],
    [
      "a password for sending",
      { outgoing_status: "auth_failed", outgoing_failure: { code: "authentication", message: "" } },
      ["sending: password"],
    ],
  ])("ask for %s", (_, changes, expected) => {
    expect(told(changes)).toEqual(expected);
  });
});
