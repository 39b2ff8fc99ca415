import { DndContext } from "@dnd-kit/core";
import { SortableContext } from "@dnd-kit/sortable";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Account } from "../api/accounts";
import { api } from "../api/client";
import { NoticesProvider } from "../controls/notices";
import { settings as words } from "../language/english/settings";
import { LanguageProvider } from "../language/language";
import { newStage } from "../stage.builder";
import { AccountRow } from "./account-row";

const account = {
  id: "a",
  name: "Work",
  email: "me@example.org",
  status: "active",
  incoming: { auth: "password" },
  outgoing: null,
  oauth: null,
  fetching: null,
  last_fetch: null,
  is_default: true,
} as unknown as Account;

const stage = newStage();
const onMove = vi.fn();
const cache = new QueryClient();

const show = (at: number) =>
  act(async () =>
    stage.root.render(
      <QueryClientProvider client={cache}>
        <LanguageProvider>
          <NoticesProvider>
            <DndContext>
              <SortableContext items={["a"]}>
                <AccountRow account={account} place={at} of={2} onMove={onMove} onDefault={vi.fn()} />
              </SortableContext>
            </DndContext>
          </NoticesProvider>
        </LanguageProvider>
      </QueryClientProvider>,
    ),
  );
const button = (label: string) => stage.place.querySelector(`button[aria-label="${label}"]`) as HTMLButtonElement;
/** What a change has begun is told a task later. */
const soon = () => act(async () => void (await new Promise((done) => setTimeout(done))));
const press = async (label: string) => {
  await act(async () => button(label).click());
  await soon();
};

beforeEach(() => {
  onMove.mockReset();
});
afterEach(() => {
  vi.restoreAllMocks();
});

test("whoever moves an account to the very top keeps the focus there, and no further press moves it", async () => {
  const up = words.list.moveUp("Work");
  await show(1);
  button(up).focus();
  await press(up);
  expect(onMove).toHaveBeenCalledExactlyOnceWith(1, 0);
  await show(0);
  expect(document.activeElement).toBe(button(up));
  expect(button(up).getAttribute("aria-disabled")).toBe("true");
  expect(button(words.list.moveDown("Work")).hasAttribute("aria-disabled")).toBe(false);
  await press(up);
  expect(onMove).toHaveBeenCalledOnce();
});

test("whoever pauses an account keeps the focus while the API is asked, and asks it once", async () => {
  let answer = (_: unknown) => {};
  const asked = vi.spyOn(api, "POST").mockReturnValue(new Promise((resolve) => (answer = resolve)) as never);
  const pause = words.list.pause("Work");
  await show(0);
  button(pause).focus();
  await press(pause);
  await press(pause);
  expect(asked).toHaveBeenCalledOnce();
  expect(document.activeElement).toBe(button(pause));
  expect(button(pause).getAttribute("aria-busy")).toBe("true");
  await act(async () => answer({ data: account, response: new Response("{}") }));
  await soon();
  expect(document.activeElement).toBe(button(pause));
  expect(button(pause).hasAttribute("aria-disabled")).toBe(false);
});
