import { expect, test, vi } from "vitest";
import type { Page, Summary } from "../../api/messages";
import { inTurn, type Pages, type Read, readNewest, withNewest } from "./reading";

/** A message that arrived at that minute; 0: one without a date. */
function summary(minute: number, told: Partial<Summary> = {}): Summary {
  const at = minute ? new Date(Date.UTC(2026, 8, 1, 0, minute)).toISOString() : null;
  return {
    id: `m${String(minute).padStart(5, "0")}`,
    account_id: "a",
    sender: { name: "", address: "anna@example.com" },
    recipients: [],
    subject: "",
    dated: at,
    arrived: at,
    stored_at: "2026-09-02T00:00:00Z",
    octets: 1,
    delivery: null,
    ...told,
  };
}
/** From the first of these minutes down to the last, of each `step`. */
const down = (from: number, to: number, step = 1) =>
  Array.from({ length: Math.floor((from - to) / step) + 1 }, (_, at) => summary(from - at * step));
const page = (messages: Summary[], cursor: string | null): Page => ({ messages, cursor, searched_to: null });
const listOf = (...pages: Page[]): Pages => ({
  pages,
  pageParams: [null, ...pages.slice(0, -1).map(({ cursor }) => cursor)],
});
const minutes = ({ pages }: Pages) => pages.flatMap(({ messages }) => messages.map(({ id }) => Number(id.slice(1))));
const cursors = ({ pages }: Pages) => pages.map(({ cursor }) => cursor);

/** A server that has these messages; a cursor is the id of the last one that was given. */
function serverOf(all: Summary[]): Read {
  const ordered = all.toSorted((one, other) => (one.id < other.id ? 1 : -1));
  return async (cursor, limit) => {
    const left = ordered.filter(({ id }) => cursor === null || id < cursor);
    const messages = left.slice(0, limit);
    return page(messages, left.length > limit ? (messages.at(-1)?.id ?? null) : null);
  };
}
const refreshed = async (known: Pages, read: Read, isWhole = false) =>
  withNewest(known, await readNewest(read, known, isWhole));
/** All of a list, read on from where it ends. */
async function readOn(list: Pages, read: Read): Promise<number[]> {
  const found = minutes(list);
  let cursor = list.pages.at(-1)?.cursor ?? null;
  while (cursor !== null) {
    const next: Page = await read(cursor, 100);
    found.push(...minutes(listOf(next)));
    cursor = next.cursor;
  }
  return found;
}

const known = listOf(page(down(300, 201), "m00201"), page(down(200, 101), "m00101"));

test("what is new comes on top of what was read", async () => {
  const now = await refreshed(known, serverOf(down(310, 1)));
  expect(minutes(now)).toEqual(minutes(listOf(page(down(310, 101), null))));
  expect(now.pages.at(-1)?.cursor).toBe("m00101");
});

test("where nothing is new, the list stays the very same", async () => {
  expect(await refreshed(known, serverOf(down(300, 1)))).toBe(known);
  expect(await refreshed(known, serverOf(down(300, 1)), true)).toBe(known);
});

test("a list that was read while it was short goes on once there is more", async () => {
  const short = listOf(page(down(10_000, 9_981), null));
  const server = serverOf(down(10_000, 1));
  const now = await refreshed(short, server);
  expect(cursors(now)).toEqual(["m09901"]);
  expect(await readOn(now, server)).toHaveLength(10_000);
});

test("a list that had ended at its second page goes on once there is more", async () => {
  const ended = listOf(page(down(1000, 901), "m00901"), page(down(900, 851), null));
  const server = serverOf(down(1000, 1));
  expect(await readOn(await refreshed(ended, server, true), server)).toHaveLength(1000);
});

test("mail that came late stands where its arrival puts it, also far below", async () => {
  const even = listOf(page(down(600, 402, 2), "m00402"), page(down(400, 202, 2), "m00202"));
  const server = serverOf(down(600, 1));
  const now = await refreshed(even, server);
  expect(await readOn(now, server)).toEqual(minutes(listOf(page(down(600, 1), null))));
});

test("mail that came late below the newest page is read when something was collected", async () => {
  const older = down(250, 211, 3).map((message) => ({ ...message, id: `${message.id}5`, account_id: "b" }));
  const list = listOf(page(down(400, 301), "m00301"), page(down(300, 201), "m00201"));
  const now = await refreshed(list, serverOf([...down(400, 1), ...older]), true);
  expect(now.pages.flatMap(({ messages }) => messages).filter(({ account_id }) => account_id === "b")).toHaveLength(14);
});

test("an undated message stands last", async () => {
  const list = listOf(page(down(3, 1), null));
  expect(minutes(await refreshed(list, serverOf([summary(0), ...down(3, 1)])))).toEqual([3, 2, 1, 0]);
  expect(await refreshed(listOf(page([...down(3, 1), summary(0)], null)), serverOf(down(3, 0)))).toMatchObject({
    pages: [{ cursor: null }],
  });
});

test("of two messages with one id the account decides, as at the server", () => {
  const [a, b] = [summary(9), summary(9, { account_id: "b" })];
  const now = withNewest(listOf(page([b, a], null)), page([b], "m00009.b"));
  expect(now.pages.flatMap(({ messages }) => messages.map(({ account_id }) => account_id))).toEqual(["b", "a"]);
});

test("a mail that was being sent shows what became of it", () => {
  const now = withNewest(
    listOf(page([summary(9, { delivery: "sending" })], null)),
    page([summary(9, { delivery: "sent" })], null),
  );
  expect(now.pages[0]?.messages[0]?.delivery).toBe("sent");
});

test("where too much is new to meet what is known, the list begins anew", async () => {
  const now = await refreshed(known, serverOf(down(5000, 1)));
  expect(minutes(now)).toEqual(minutes(listOf(page(down(5000, 4301), null))));
  expect(cursors(now)).toEqual(["m04301"]);
});

test("a look at the whole that has failed is made up for by the next", async () => {
  const look = vi.fn((_isWhole: boolean) => Promise.resolve()).mockRejectedValueOnce(new Error("offline"));
  const ask = inTurn(look);
  await expect(ask(true)).rejects.toThrow("offline");
  await ask(false);
  expect(look).toHaveBeenLastCalledWith(true);
});

test("who asks while a look is under way is answered by one that begins afterwards", async () => {
  const ends: (() => void)[] = [];
  const look = vi.fn((_isWhole: boolean) => new Promise<void>((end) => ends.push(end)));
  const ask = inTurn(look);
  const first = ask(false);
  const [second, third] = [ask(false), ask(true)];
  expect(second).toBe(third);
  ends[0]?.();
  await first;
  await vi.waitFor(() => expect(look).toHaveBeenCalledTimes(2));
  expect(look).toHaveBeenLastCalledWith(true);
});
