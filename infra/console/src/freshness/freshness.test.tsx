import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { accountsQuery } from "../api/accounts";
import { api } from "../api/client";
import { common } from "../language/english/common";
import { failures } from "../language/english/failures";
import { formatsOf, regionalTag } from "../language/formats";
import { LanguageProvider } from "../language/language";
import { newStage } from "../stage.builder";
import { Freshness } from "./freshness";

const NOON = new Date("2026-11-26T12:00:00");
const asOfNoon = common.shownSince(formatsOf(regionalTag("en", navigator.languages)).moment(NOON.toISOString()));

const stage = newStage();
let cache: QueryClient;
/** What the API answers from now on. */
let answer: () => Promise<unknown>;

const well = async () => ({ data: { accounts: [] }, response: new Response("{}") });
const unreachable = () => Promise.reject(new TypeError("Failed to fetch"));
const failing = async () => ({
  error: { error: { code: "storage_unavailable", message: "It did not answer." } },
  response: new Response("{}", { status: 503 }),
});

const settle = () => act(async () => void (await vi.advanceTimersByTimeAsync(100)));
const poll = async () => {
  await act(async () => void cache.refetchQueries(accountsQuery));
  await settle();
};
const status = () => stage.place.querySelector("[role=status]")?.textContent;
const button = () => stage.place.querySelector("button");

beforeEach(async () => {
  vi.useFakeTimers({ now: NOON });
  vi.spyOn(api, "GET").mockImplementation((() => answer()) as never);
  cache = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  answer = well;
  await act(async () =>
    stage.root.render(
      <QueryClientProvider client={cache}>
        <LanguageProvider>
          <main tabIndex={-1}>
            <Freshness />
          </main>
        </LanguageProvider>
      </QueryClientProvider>,
    ),
  );
  await settle();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test("nothing is said while the accounts are read as they should be", async () => {
  expect(status()).toBe("");
  expect(button()).toBeNull();
});

test.each([
  ["that popfetch cannot be reached", unreachable, failures.unreachable],
  ["what the API says", failing, failures.storage_unavailable],
])("it says %s, and since when nothing new was read", async (_, fails, told) => {
  vi.setSystemTime(new Date("2026-11-26T12:00:30"));
  answer = fails;
  await poll();
  expect(status()).toBe(`${told} ${asOfNoon}`);
  vi.setSystemTime(new Date("2026-11-26T13:00:00"));
  await poll();
  expect(status()).toBe(`${told} ${asOfNoon}`);
});

test("it goes by itself as soon as the accounts are read again", async () => {
  answer = unreachable;
  await poll();
  expect(status()).not.toBe("");
  answer = well;
  await poll();
  expect(status()).toBe("");
});

test("another try may be asked for, and whoever asked by keyboard is not left nowhere", async () => {
  answer = unreachable;
  await poll();
  button()?.focus();
  await act(async () => button()?.click());
  await settle();
  expect(status()).toContain(failures.unreachable);
  expect(document.activeElement).toBe(button());
  answer = well;
  await act(async () => button()?.click());
  await settle();
  expect(status()).toBe("");
  expect(document.activeElement).toBe(stage.place.querySelector("main"));
});
