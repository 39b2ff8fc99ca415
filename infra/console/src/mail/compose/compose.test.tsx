import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, type ReactNode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Account } from "../../api/accounts";
import { api } from "../../api/client";
import { NoticesProvider } from "../../controls/notices";
import { mail as words } from "../../language/english/mail";
import { LanguageProvider } from "../../language/language";
import { newDraft } from "./beginning";
import Compose from "./compose";
import { DraftsProvider, useDrafts } from "./drafts";

const account = { id: "a", name: "Work", email: "me@example.org", outgoing: {}, is_default: true } as Account;

let place: HTMLElement;
let root: Root;
let kept: ReturnType<typeof useDrafts>;
const onSent = vi.fn();

function Kept(): ReactNode {
  kept = useDrafts();
  return null;
}
/** The page with a mail to `to` being written in it, or with something else in its place. */
async function show(to: string | null) {
  await act(async () =>
    root.render(
      <QueryClientProvider client={new QueryClient()}>
        <LanguageProvider>
          <NoticesProvider>
            <DraftsProvider email="me@example.org">
              <Kept />
              {to === null ? null : (
                <Compose
                  answering={null}
                  accounts={[account]}
                  accountId="a"
                  to={to}
                  onClose={vi.fn()}
                  onSent={onSent}
                />
              )}
            </DraftsProvider>
          </NoticesProvider>
        </LanguageProvider>
      </QueryClientProvider>,
    ),
  );
}
const button = (label: string) =>
  [...place.querySelectorAll("button")].filter(({ textContent }) => textContent === label).at(-1) as HTMLButtonElement;
const press = (label: string) => act(async () => button(label).click());

/** The requests that are under way: each is answered by hand. */
function requests() {
  const answers: ((status: number) => void)[] = [];
  vi.spyOn(api, "POST").mockImplementation(
    (() =>
      new Promise((resolve) =>
        answers.push((status) => {
          const response = new Response("{}", { status });
          resolve(response.ok ? { data: { id: "m" }, response } : { error: {}, response });
        }),
      )) as never,
  );
  return answers;
}

beforeEach(() => {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
  HTMLDialogElement.prototype.showModal ??= vi.fn();
  HTMLDialogElement.prototype.close ??= vi.fn();
  place = document.body.appendChild(document.createElement("div"));
  root = createRoot(place);
});
afterEach(async () => {
  await act(async () => root.unmount());
  place.remove();
  sessionStorage.clear();
  onSent.mockReset();
  vi.restoreAllMocks();
});

async function pressSend() {
  await press(words.send);
  await press(words.sendAnyway);
}

test("sending goes on while something else is opened, and its failure is told there", async () => {
  const answers = requests();
  await show("anna@example.com");
  await pressSend();
  await show(null);
  await act(async () => answers[0]?.(502));
  expect(place.textContent).toContain(words.maybeSent);
  expect(kept.drafts).toMatchObject([{ to: "anna@example.com", attempt: { unsure: true } }]);
});

test("a mailto: link fills in what it says, its copies in sight and nobody hidden", async () => {
  await show("mailto:anna@example.com?cc=carl@example.com&bcc=spy@example.com&subject=Lunch&body=At%20noon%3F%0D%0AMe");
  const values = [...place.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>("[name]:not([type=file])")];
  expect(values.map(({ name, value }) => [name, value])).toEqual([
    ["to", "anna@example.com"],
    ["cc", "carl@example.com"],
    ["subject", "Lunch"],
    ["text", "At noon?\nMe"],
  ]);
});

test("whoever comes back to a draft on its way cannot change it, send it twice, or discard it", async () => {
  const answers = requests();
  await show("anna@example.com");
  await pressSend();
  await show(null);
  await show("anna@example.com");
  expect(place.querySelector<HTMLTextAreaElement>("[name=text]")?.readOnly).toBe(true);
  expect(button(words.discard).disabled).toBe(true);
  await act(async () => answers[0]?.(200));
  expect(onSent).toHaveBeenCalledOnce();
  expect(kept.drafts).toEqual([]);
});

test("a draft that was discarded while its files were uploaded stays discarded", async () => {
  const answers = requests();
  const large = new File([new Uint8Array(3_500_000)], "large.bin");
  await show("anna@example.com");
  const file = { kind: "chosen", id: "f", file: large, name: large.name, type: "", octets: large.size } as const;
  await act(async () => kept.change({ ...newDraft("a", "anna@example.com"), subject: "x" }, { files: [file] }));
  await press(words.send);
  await press(words.discard);
  await press(words.discard);
  await act(async () => answers[0]?.(500));
  expect(kept.drafts).toEqual([]);
});

test("a link to somebody begins a mail of its own beside the one that is being written", async () => {
  requests();
  await show("");
  await act(async () => kept.change(newDraft("a"), { to: "bert@example.org" }));
  await show("anna@example.com");
  expect(place.querySelector<HTMLTextAreaElement>("[name=to]")?.value).toBe("anna@example.com");
  expect(kept.drafts).toMatchObject([{ to: "bert@example.org" }]);
});
