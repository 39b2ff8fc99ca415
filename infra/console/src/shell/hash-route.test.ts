import { beforeEach, expect, test } from "vitest";
import { go } from "./hash-route";

beforeEach(() => history.replaceState(null, "", "/v1/?oauth=connected"));

test("a route keeps its query behind the hash, and leaves the address's own alone", () => {
  go("/mail/all?q=a%26b");
  expect(location.pathname + location.search).toBe("/v1/?oauth=connected");
  expect(location.hash).toBe("#/mail/all?q=a%26b");
});

test("going elsewhere without a query drops the one before", () => {
  go("/mail/all?q=a");
  go("/mail/all");
  expect(location.hash).toBe("#/mail/all");
});
