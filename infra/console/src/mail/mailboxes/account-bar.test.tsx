import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act } from "react";
import { afterEach, expect, test, vi } from "vitest";
import type { Account } from "../../api/accounts";
import { NoticesProvider } from "../../controls/notices";
import { LanguageProvider } from "../../language/language";
import { newStage } from "../../stage.builder";
import { LastChecked } from "./account-bar";

const stage = newStage();

const now = new Date("2026-11-26T10:00:00Z");
const account = { id: "a", name: "Work", fetching: null, last_fetch: { at: now.toISOString() } } as Account;

afterEach(() => {
  vi.useRealTimers();
});

test("how long ago the last check was goes on by itself", async () => {
  vi.useFakeTimers({ now });
  await act(async () =>
    stage.root.render(
      <QueryClientProvider client={new QueryClient()}>
        <LanguageProvider>
          <NoticesProvider>
            <LastChecked account={account} />
          </NoticesProvider>
        </LanguageProvider>
      </QueryClientProvider>,
    ),
  );
  expect(stage.place.textContent).toBe("Checked now");
  await act(async () => vi.advanceTimersByTime(5 * 60_000));
  expect(stage.place.textContent).toBe("Checked 5 minutes ago");
});
