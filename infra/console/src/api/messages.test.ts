import { afterEach, expect, test, vi } from "vitest";
import { NO_SEARCH } from "../mail/route";
import { api } from "./client";
import { readPage } from "./messages";

afterEach(() => vi.restoreAllMocks());

// The tests run in Asia/Ho_Chi_Minh.
test("the days of a search are those of whoever searches", async () => {
  const get = vi.spyOn(api, "GET").mockResolvedValue({ data: {}, response: new Response("{}") } as never);
  const search = { ...NO_SEARCH, since: "2026-09-01", before: "2026-09-02" };
  await readPage("all", search, { cursor: null, limit: 50 });
  expect(get.mock.lastCall?.[1]).toMatchObject({
    params: { query: { since: "2026-08-31T17:00:00.000Z", before: "2026-09-01T17:00:00.000Z" } },
  });
});
