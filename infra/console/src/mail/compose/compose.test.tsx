import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, type ReactNode } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Account } from "../../api/accounts";
import { api } from "../../api/client";
import { NoticesProvider } from "../../controls/notices";
import { mail as words } from "../../language/english/mail";
import { LanguageProvider } from "../../language/language";
import { newStage } from "../../stage.builder";
import { newDraft } from "./beginning";
import Compose from "./compose";
import { DraftsProvider, useDrafts } from "./drafts";

const account = { id: "a", name: "Work", email: "me@example.org", outgoing: {}, is_default: true } as Account;

const stage = newStage();
let kept: ReturnType<typeof useDrafts>;
const onSent = vi.fn();

function Kept(): ReactNode {
  kept = useDrafts();
  return null;
}
/** The page with a mail to `to` being written in it, or with something else in its place. */
async function show(to: string | null) {
  await act(async () =>
    stage.root.render(
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
  [...stage.place.querySelectorAll("button")]
    .filter(({ textContent }) => textContent === label)
    .at(-1) as HTMLButtonElement;
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
  HTMLDialogElement.prototype.showModal ??= vi.fn();
  HTMLDialogElement.prototype.close ??= vi.fn();
});
afterEach(() => {
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
  expect(stage.place.textContent).toContain(words.maybeSent);
  expect(kept.drafts).toMatchObject([{ to: "anna@example.com", attempt: { unsure: true } }]);
});

test("a mailto: link fills in what it says, its copies in sight and nobody hidden", async () => {
  await show("mailto:anna@example.com?cc=carl@example.com&bcc=spy@example.com&subject=Lunch&body=At%20noon%3F%0D%0AMe");
  const values = [...stage.place.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>("[name]:not([type=file])")];
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
  expect(stage.place.querySelector<HTMLTextAreaElement>("[name=text]")?.readOnly).toBe(true);
  expect(button(words.discard).disabled).toBe(true);
  await press(words.send);
  await act(async () => stage.place.querySelector("form")?.requestSubmit());
  expect(stage.place.querySelector("dialog")).toBeNull();
  expect(answers).toHaveLength(1);
  await act(async () => answers[0]?.(200));
  expect(onSent).toHaveBeenCalledOnce();
  expect(kept.drafts).toEqual([]);
});

/** The files that are chosen in the page. */
async function attach(...names: string[]) {
  const picker = stage.place.querySelector<HTMLInputElement>("[name=files]");
  Object.defineProperty(picker, "files", { configurable: true, value: names.map((name) => new File(["x"], name)) });
  await act(async () => picker?.dispatchEvent(new Event("change", { bubbles: true })));
}
/** A draft whose files did not outlive loading the page anew. */
async function showIncomplete(...lost: string[]) {
  await show("anna@example.com");
  await act(async () => kept.change(newDraft("a", "anna@example.com"), { subject: "Offer", lost }));
}

test("only files that were attached again are missed no more, each name once for each of them", async () => {
  await showIncomplete("offer.pdf", "image.png", "image.png");
  await attach("image.png", "else.txt");
  expect(kept.drafts).toMatchObject([{ lost: ["offer.pdf", "image.png"] }]);
  await press(words.filesLeftOut);
  expect(kept.drafts).toMatchObject([{ lost: [], files: [{ name: "image.png" }, { name: "else.txt" }] }]);
  expect(document.activeElement).toBe(button(words.attach));
});

test("a file that is removed brings no lost one back", async () => {
  await showIncomplete("offer.pdf");
  await attach("else.txt");
  await act(async () => stage.place.querySelector<HTMLElement>(`[aria-label="${words.remove("else.txt")}"]`)?.click());
  expect(kept.drafts).toMatchObject([{ lost: ["offer.pdf"], files: [] }]);
});

test("a mail goes out without its lost files only when somebody says so, and each question is asked", async () => {
  const answers = requests();
  await showIncomplete("offer.pdf");
  await act(async () => kept.amend(kept.drafts[0]?.id ?? "", { subject: "" }));
  await press(words.send);
  expect(stage.place.querySelector("dialog")?.textContent).toContain(words.filesLost("offer.pdf"));
  await press(words.keepWriting);
  expect(stage.place.querySelector("dialog")).toBeNull();
  await press(words.send);
  await press(words.sendAnyway);
  expect(stage.place.querySelector("dialog h2")?.textContent).toBe(words.questions.subject);
  expect(answers).toHaveLength(0);
  await press(words.sendAnyway);
  expect(answers).toHaveLength(1);
});

const keyOf = (call: unknown[]) =>
  (call[1] as { params: { header: { "idempotency-key": string } } }).params.header["idempotency-key"];
const sends = () => (vi.mocked(api.POST).mock.calls as unknown[][]).filter(([path]) => String(path).endsWith("/send"));
/** Until so many mails are out; their files are read first. */
const areOut = (count: number) => act(() => vi.waitFor(() => expect(sends()).toHaveLength(count)));

test("a mail counts as perhaps sent from when it is out, so that a page loaded anew warns of it", async () => {
  // given
  requests();
  await show("anna@example.com");
  await pressSend();
  expect(sends()).toHaveLength(1);
  expect(stage.place.textContent).not.toContain(words.maybeSent);

  // when
  await stage.clear();
  requests();
  await show("anna@example.com");

  // then
  expect(stage.place.querySelector("[role=alert]")?.textContent).toContain(words.maybeSent);
  expect(stage.place.querySelector("[role=alert] a")?.getAttribute("href")).toBe("/mail/all?kind=sent");

  // when
  const [first] = sends();
  await pressSend();

  // then
  expect(sends().map(keyOf)).toEqual([keyOf(first ?? []), keyOf(first ?? [])]);
});

test("it is written down before it goes", async () => {
  const stored: unknown[] = [];
  vi.spyOn(api, "POST").mockImplementation((() => {
    stored.push(JSON.parse(sessionStorage.getItem("popfetch.drafts") ?? "null").drafts[0].attempt.unsure);
    return new Promise(() => undefined);
  }) as never);
  await show("anna@example.com");
  await pressSend();
  expect(stored).toEqual([true]);
});

test("a mail whose files were lost while it was out is not sent beside the first one unasked", async () => {
  // given
  requests();
  await show("anna@example.com");
  await attach("offer.pdf");
  await pressSend();
  await areOut(1);
  const [first] = sends();
  await stage.clear();
  const answers = requests();
  await show("anna@example.com");
  await attach("offer.pdf");
  expect(stage.place.querySelector("[role=alert]")?.textContent).toContain(words.changedSince);

  // when
  await press(words.send);

  // then
  expect(stage.place.querySelector("dialog")?.textContent).toContain(words.changedSince);
  expect(stage.place.querySelector("dialog a")?.textContent).toBe(words.lookAtSent);
  expect(answers).toHaveLength(0);

  // when
  await press(words.sendAnyway);
  await press(words.sendAnyway);
  await areOut(2);
  await act(async () => answers[0]?.(422));

  // then
  expect(keyOf(sends().at(-1) ?? [])).not.toBe(keyOf(first ?? []));
  expect(kept.drafts).toMatchObject([{ attempt: { unsure: false, unsureBefore: true } }]);
});

test("a mail that was not sent for sure is changed and sent again without a warning", async () => {
  const answers = requests();
  await show("anna@example.com");
  await pressSend();
  await act(async () => answers[0]?.(422));
  expect(kept.drafts).toMatchObject([{ attempt: { unsure: false } }]);
  await act(async () => kept.amend(kept.drafts[0]?.id ?? "", { subject: "Lunch" }));
  expect(stage.place.textContent).not.toContain(words.changedSince);
  await press(words.send);
  expect(answers).toHaveLength(2);
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

test("what becomes of a mail is told to nobody when its person has gone", async () => {
  const answers = requests();
  await show("anna@example.com");
  await pressSend();
  await stage.clear();
  await act(async () => answers[0]?.(200));
  expect(onSent).not.toHaveBeenCalled();
});

test("a link to somebody begins a mail of its own beside the one that is being written", async () => {
  requests();
  await show("");
  await act(async () => kept.change(newDraft("a"), { to: "bert@example.org" }));
  await show("anna@example.com");
  expect(stage.place.querySelector<HTMLTextAreaElement>("[name=to]")?.value).toBe("anna@example.com");
  expect(kept.drafts).toMatchObject([{ to: "bert@example.org" }]);
});
