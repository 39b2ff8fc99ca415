import { onlineManager, QueryObserver } from "@tanstack/react-query";
import { afterEach, expect, test, vi } from "vitest";
import { newCache } from "./cache";
import { ApiFailure } from "./client";

const unreachable = new ApiFailure(0, "unreachable", "");

function online(is: boolean) {
  vi.spyOn(navigator, "onLine", "get").mockReturnValue(is);
  onlineManager.setOnline(is);
}
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  onlineManager.setOnline(true);
});

test("offline, what is asked for fails at once, and is not kept waiting", async () => {
  online(false);
  const queryFn = vi.fn().mockRejectedValue(unreachable);
  const cache = newCache();
  const observer = new QueryObserver(cache, { queryKey: ["x"], queryFn });
  const leave = observer.subscribe(() => undefined);
  await vi.waitFor(() => expect(observer.getCurrentResult().error).toBe(unreachable));
  expect(queryFn).toHaveBeenCalledOnce();
  leave();
  const mutationFn = vi.fn().mockRejectedValue(unreachable);
  const change = cache.getMutationCache().build(cache, cache.defaultMutationOptions({ mutationFn }));
  await expect(change.execute(undefined)).rejects.toBe(unreachable);
});

test("what has failed offline is read as soon as the browser is online", async () => {
  online(false);
  const cache = newCache();
  cache.mount();
  const queryFn = vi.fn().mockRejectedValueOnce(unreachable).mockResolvedValue("read");
  const observer = new QueryObserver(cache, { queryKey: ["x"], queryFn });
  const leave = observer.subscribe(() => undefined);
  await vi.waitFor(() => expect(observer.getCurrentResult().error).toBe(unreachable));
  online(true);
  await vi.waitFor(() => expect(observer.getCurrentResult().data).toBe("read"));
  leave();
  cache.unmount();
});

test("online, what may pass is tried three times more, and what will not is not", async () => {
  vi.useFakeTimers();
  online(true);
  const cache = newCache();
  const tries = async (failure: unknown) => {
    const queryFn = vi.fn().mockRejectedValue(failure);
    const observer = new QueryObserver(cache, { queryKey: [String(failure)], queryFn });
    const leave = observer.subscribe(() => undefined);
    await vi.advanceTimersByTimeAsync(60_000);
    leave();
    return queryFn.mock.calls.length;
  };
  expect(await tries(unreachable)).toBe(4);
  expect(await tries(new ApiFailure(404, "message_not_found", "gone"))).toBe(1);
  expect(await tries(new TypeError("a defect"))).toBe(1);
});
