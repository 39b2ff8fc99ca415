import { expect, test } from "vitest";
import type { Page, Summary } from "../../api/messages";
import { withNewest } from "./reading";

function summary(minute: number, told: Partial<Summary> = {}): Summary {
  const at = new Date(Date.UTC(2026, 8, 1, 0, minute)).toISOString();
  return {
    id: `m${String(minute).padStart(4, "0")}`,
    account_id: "a",
    sender: { name: "", address: "anna@example.com" },
    recipients: [],
    subject: "",
    dated: at,
    arrived: at,
    stored_at: at,
    octets: 1,
    delivery: null,
    ...told,
  };
}
const page = (messages: Summary[], cursor: string | null): Page => ({ messages, cursor, searched_to: null });
const known = {
  pages: [page([summary(9), summary(7)], "c1"), page([summary(5)], null)],
  pageParams: [null, "c1"],
};
const minutes = (pages: Page[]) => pages.flatMap(({ messages }) => messages.map(({ id }) => Number(id.slice(1))));

test("what is new comes on top, and what came late where its arrival puts it", () => {
  const now = withNewest(known, { messages: [summary(10), summary(9), summary(8)], cursor: "x" });
  expect(minutes(now.pages)).toEqual([10, 9, 8, 7, 5]);
  expect(now.pages.map(({ cursor }) => cursor)).toEqual(["c1", null]);
});

test("where nothing is new, the list stays the very same", () => {
  expect(withNewest(known, { messages: [summary(9), summary(7)], cursor: "x" })).toBe(known);
});

test("a mail that was being sent shows what became of it", () => {
  const before = { pages: [page([summary(9, { delivery: "sending" })], null)], pageParams: [null] };
  const now = withNewest(before, { messages: [summary(9, { delivery: "sent" })], cursor: null });
  expect(now.pages[0]?.messages[0]?.delivery).toBe("sent");
});

test("where too much is new to meet what is known, the list begins anew", () => {
  const many = Array.from({ length: 100 }, (_, at) => summary(1000 - at));
  const now = withNewest(known, { messages: many, cursor: "later" });
  expect(now).toEqual({ pages: [page(many, "later")], pageParams: [null] });
});
