import { act, type ReactNode } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Summary } from "../../api/messages";
import { useNow, useToday } from "../../controls/now";
import { formatsOf, regionalTag } from "../../language/formats";
import { LanguageProvider } from "../../language/language";
import { newStage } from "../../stage.builder";
import { MessageRow } from "./message-row";

const message = {
  id: "m",
  account_id: "a",
  sender: { name: "Anna", address: "anna@example.com" },
  recipients: [],
  subject: "Lunch",
  dated: "2026-11-26T14:05:00",
  octets: 1265,
  delivery: null,
} as unknown as Summary;
const formats = formatsOf(regionalTag("en", navigator.languages));
const evening = new Date("2026-11-26T23:50:00");
const morning = new Date("2026-11-27T00:10:00");

const stage = newStage();
let drawn: number;

function List(): ReactNode {
  drawn += 1;
  return (
    <MessageRow
      message={message}
      href=""
      isNew={false}
      isOpen={false}
      isReachable
      today={useToday()}
      accountName={null}
    />
  );
}
function Clock(): ReactNode {
  return useNow().toISOString();
}
const show = (what: ReactNode) => act(async () => stage.root.render(<LanguageProvider>{what}</LanguageProvider>));
const pass = (minutes: number) => act(async () => vi.advanceTimersByTime(minutes * 60_000));
const when = () => stage.place.querySelector("time")?.textContent;

beforeEach(() => {
  vi.useFakeTimers({ now: evening });
  drawn = 0;
});
afterEach(() => {
  vi.useRealTimers();
});

test("overnight, the time of today's mail becomes the day it came on, in a list that nobody has touched", async () => {
  await show(<List />);
  expect(when()).toBe(formats.brief(message.dated, evening));
  await pass(5);
  expect(drawn).toBe(1);
  await pass(15);
  expect(when()).toBe(formats.brief(message.dated, morning));
  expect(when()).not.toBe(formats.brief(message.dated, evening));
});

test("the present moment moves on by itself", async () => {
  await show(<Clock />);
  expect(stage.place.textContent).toBe(evening.toISOString());
  await pass(1);
  expect(stage.place.textContent).toBe(new Date(evening.getTime() + 60_000).toISOString());
});
