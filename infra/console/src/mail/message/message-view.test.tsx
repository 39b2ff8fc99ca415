import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { api } from "../../api/client";
import { messageQuery } from "../../api/messages";
import { NoticesProvider } from "../../controls/notices";
import { failures } from "../../language/english/failures";
import { mail as words } from "../../language/english/mail";
import { LanguageProvider } from "../../language/language";
import { newStage } from "../../stage.builder";
import { message } from "../message.builder";
import { MessageView } from "./message-view";

const letter = message({ html: "<p>Lunch?</p>", remote_images: 3 });
const name = { accountId: letter.account_id, messageId: letter.id };

const stage = newStage();
/** What the API answers the next time that it is asked for the message with its images. */
let answer: () => Promise<unknown>;

beforeEach(async () => {
  vi.stubGlobal(
    "ResizeObserver",
    class {
      observe() {}
      disconnect() {}
    },
  );
  vi.spyOn(api, "GET").mockImplementation((() => answer()) as never);
  const cache = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  cache.setQueryData(messageQuery(name, "blocked").queryKey, letter);
  await act(async () =>
    stage.root.render(
      <QueryClientProvider client={cache}>
        <LanguageProvider>
          <NoticesProvider>
            <MessageView
              name={name}
              accountName="Work"
              newer={null}
              older={null}
              onBack={vi.fn()}
              onAnswer={vi.fn()}
              onWriteTo={vi.fn()}
            />
          </NoticesProvider>
        </LanguageProvider>
      </QueryClientProvider>,
    ),
  );
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const failing = () => Promise.reject(new TypeError("Failed to fetch"));
const well = async () => ({ data: letter, response: new Response("{}") });
const button = () =>
  [...stage.place.querySelectorAll("button")].find(
    ({ textContent }) => textContent === words.imagesShow,
  ) as HTMLButtonElement;
const press = async () => {
  button().focus();
  await act(async () => button().click());
  await act(async () => void (await new Promise((resolve) => setTimeout(resolve, 20))));
};
const told = () => [...stage.place.querySelectorAll("[role=status]")].map(({ textContent }) => textContent);

test("images that cannot be shown say why, and the button asks for them again", async () => {
  answer = failing;
  await press();
  expect(told()).toContain(words.imagesFailed(failures.unreachable));
  expect(stage.place.querySelector("iframe")?.getAttribute("src")).toBe("frame?images=blocked");
  expect(document.activeElement).toBe(button());

  answer = well;
  await press();
  expect(told()).toContain(words.imagesShown);
  expect(stage.place.querySelector("iframe")?.getAttribute("src")).toBe("frame?images=shown");
});

test("whoever showed them by keyboard is still where the button was", async () => {
  answer = well;
  await press();
  expect(button()).toBeUndefined();
  expect(document.activeElement?.textContent).toBe(words.imagesShown);
});
