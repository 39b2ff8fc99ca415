import { describe, expect, it } from "vitest";
import type { Account } from "../api/accounts";
import { english } from "../language/english";
import {
  type AccountValues,
  needsPassword,
  passwordsInstead,
  patchOf,
  problemsOf,
  rebased,
  valuesOf,
  withSecurity,
} from "./values";

function anAccount(changes: Partial<Account> = {}): Account {
  return {
    id: "a",
    email: "anna@example.com",
    name: "Personal",
    version: 3,
    incoming: { host: "pop.example.com", port: 995, security: "tls", username: "anna@example.com", auth: "password" },
    outgoing: { host: "smtp.example.com", port: 465, security: "tls", username: "anna@example.com", auth: "password" },
    fetch: {
      interval_minutes: 5,
      max_messages_per_cycle: 100,
      catch_up: true,
      start: "all",
      order: "oldest_first",
      after_fetch: "keep",
      delete_after_days: null,
    },
    ...changes,
  } as Account;
}

function changed(account: Account, change: (values: AccountValues) => void) {
  const values = valuesOf(account);
  change(values);
  return patchOf(account, values);
}

describe("the change of an account", () => {
  it("is none where nothing was changed", () => {
    expect(changed(anAccount(), () => {})).toBeNull();
  });
  it("holds what was changed and nothing else", () => {
    const patch = changed(anAccount(), (values) => {
      values.name = " Work ";
      values.retrieval.interval = 15;
    });
    expect(patch).toEqual({ name: "Work", fetch: { interval_minutes: 15 }, verify: true });
  });
  it("names the port with another security, as it would follow it otherwise", () => {
    const patch = changed(anAccount(), (values) => {
      values.incoming.security = "starttls";
    });
    expect(patch).toEqual({ incoming: { security: "starttls", port: 995 }, verify: true });
  });
  it("takes the outgoing server away", () => {
    const patch = changed(anAccount(), (values) => {
      values.outgoing = null;
    });
    expect(patch).toEqual({ outgoing: null, verify: true });
  });
  it("brings a whole outgoing server where there was none", () => {
    const patch = changed(anAccount({ outgoing: null }), (values) => {
      values.outgoing = { host: "smtp.example.com", port: "587", security: "starttls", username: "a", password: "p" };
    });
    const outgoing = { host: "smtp.example.com", port: 587, security: "starttls", username: "a", password: "p" };
    expect(patch).toEqual({ outgoing, verify: true });
  });
  it("leaves the days out where nothing is deleted after days", () => {
    const patch = changed(anAccount(), (values) => {
      values.retrieval.afterFetch = "delete";
      values.retrieval.days = "14";
    });
    expect(patch).toEqual({ fetch: { after_fetch: "delete" }, verify: true });
  });
  it("has the date since which mail is taken", () => {
    const patch = changed(anAccount(), (values) => {
      values.retrieval.start = "since";
      values.retrieval.since = "2026-01-31";
    });
    expect(patch).toEqual({ fetch: { start: "2026-01-31" }, verify: true });
  });
});

describe("values under which the account was changed elsewhere", () => {
  const was = valuesOf(anAccount());
  function typed(change: (values: AccountValues) => void) {
    const now = structuredClone(was);
    change(now);
    return now;
  }
  const elsewhere = anAccount({ name: "Work", incoming: { ...anAccount().incoming, host: "pop.example.net" } });
  const fresh = valuesOf(elsewhere);

  it("are the fresh ones where nothing was typed", () => {
    expect(
      rebased(
        was,
        typed(() => {}),
        fresh,
      ),
    ).toEqual(fresh);
  });
  it("keep what was typed, and nothing else of before", () => {
    const now = typed((values) => {
      values.email = "anna@example.org";
      values.retrieval.interval = 15;
    });
    const patch = patchOf(elsewhere, rebased(was, now, fresh));
    expect(patch).toEqual({ email: "anna@example.org", fetch: { interval_minutes: 15 }, verify: true });
  });
  it("keep a password beside the host that it was typed for", () => {
    const now = typed((values) => {
      values.incoming.password = "secret";
    });
    expect(rebased(was, now, fresh).incoming).toEqual({ ...was.incoming, password: "secret" });
  });
  it("have no outgoing server where it was taken away here", () => {
    const now = typed((values) => {
      values.outgoing = null;
    });
    expect(rebased(was, now, fresh).outgoing).toBeNull();
  });
  it("have the outgoing server that was entered here", () => {
    const outgoing = { host: "smtp.example.org", port: "465", security: "tls" as const, username: "a", password: "p" };
    const now = { ...was, outgoing };
    expect(rebased({ ...was, outgoing: null }, now, { ...fresh, outgoing: null }).outgoing).toEqual(outgoing);
  });
});

describe("values that were sent", () => {
  const sent = valuesOf(anAccount());
  sent.name = " Work ";
  sent.incoming.password = "secret";
  const saved = valuesOf(anAccount({ name: "Work" }));

  it("give way to what was saved", () => {
    expect(rebased(sent, structuredClone(sent), saved)).toEqual(saved);
  });
  it("leave what was typed since, without the password that was sent", () => {
    const now = structuredClone(sent);
    now.incoming.port = "1995";
    expect(rebased(sent, now, saved)).toEqual({ ...saved, incoming: { ...saved.incoming, port: "1995" } });
  });
});

describe("a password in the place of consent", () => {
  const byConsent = { ...anAccount().incoming, auth: "oauth2" as const };
  const instead = { auth: "password", password: "secret" };
  it("is for both servers where consent opens both", () => {
    const account = anAccount({ incoming: byConsent, outgoing: byConsent });
    expect(passwordsInstead(account, "secret")).toEqual({ incoming: instead, outgoing: instead, verify: true });
  });
  it("leaves a server alone that has a password", () => {
    expect(passwordsInstead(anAccount({ incoming: byConsent }), "secret")).toEqual({ incoming: instead, verify: true });
  });
});

describe("a password", () => {
  const server = anAccount().incoming;
  const values = valuesOf(anAccount()).incoming;
  it("is not needed again for another port", () => {
    expect(needsPassword(server, { ...values, port: "1995" })).toBe(false);
  });
  it("is needed again for another host", () => {
    expect(needsPassword(server, { ...values, host: "pop.example.org" })).toBe(true);
  });
  it("is needed again where the connection loses its protection", () => {
    expect(needsPassword(server, { ...values, security: "none" })).toBe(true);
  });
  it("is missed with another host", () => {
    const values = valuesOf(anAccount());
    values.outgoing = { ...(values.outgoing as NonNullable<typeof values.outgoing>), host: "mail.example.org" };
    expect(Object.keys(problemsOf(anAccount(), values, english.settings.problems))).toEqual(["outgoing.password"]);
  });
});

describe("another security", () => {
  const values = valuesOf(anAccount()).incoming;
  it("brings its usual port where the port was a usual one", () => {
    expect(withSecurity(values, "incoming", "starttls").port).toBe("110");
  });
  it("leaves a port of one's own", () => {
    expect(withSecurity({ ...values, port: "1995" }, "incoming", "starttls").port).toBe("1995");
  });
});
