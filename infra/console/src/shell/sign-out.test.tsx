import { act, type ReactNode } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { english } from "../language/english";
import { LanguageProvider } from "../language/language";
import { newDraft } from "../mail/compose/beginning";
import { DraftsProvider, useDrafts } from "../mail/compose/drafts";
import { newStage } from "../stage.builder";
import { useUnsaved } from "./leaving";
import { SignOut } from "./sign-out";

const leave = vi.fn(async () => undefined);
vi.mock("../session/session", () => ({ useSession: () => ({ leave }) }));

const stage = newStage();
let kept: ReturnType<typeof useDrafts>;

function Held({ unsaved }: { unsaved: boolean }): ReactNode {
  kept = useDrafts();
  useUnsaved(unsaved);
  return null;
}
const show = (unsaved: boolean) =>
  act(async () =>
    stage.root.render(
      <LanguageProvider>
        <DraftsProvider email="me@example.org">
          <Held unsaved={unsaved} />
          <SignOut />
        </DraftsProvider>
      </LanguageProvider>,
    ),
  );
const press = (label: string) =>
  act(async () =>
    [...stage.place.querySelectorAll("button")]
      .find((one) => one.textContent === label || one.getAttribute("aria-label") === label)
      ?.click(),
  );
const dialog = () => stage.place.querySelector("dialog");
/** A draft, and how far it is on its way; null where nobody has sent it. */
async function write(to: string, isOut: boolean | null) {
  const draft = newDraft("a", to);
  const giveUp = vi.fn();
  await act(async () => {
    kept.change(draft, { text: "Hello" });
    if (isOut !== null) kept.setSending(draft.id, { shares: new Map(), isOut, giveUp });
  });
  return giveUp;
}

beforeEach(async () => {
  HTMLDialogElement.prototype.showModal ??= vi.fn();
  HTMLDialogElement.prototype.close ??= vi.fn();
  leave.mockClear();
  await show(false);
});
afterEach(() => {
  sessionStorage.clear();
});

test("whoever has begun nothing is out at once", async () => {
  await press(english.common.signOut);
  expect(leave).toHaveBeenCalledOnce();
  expect(dialog()).toBeNull();
});

test.each([
  [["anna@example.org"], "Sign out and lose 1 draft?"],
  [["anna@example.org", "bert@example.org"], "Sign out and lose 2 drafts?"],
])("drafts to %s are asked about, and kept by whoever stays", async (people, title) => {
  for (const one of people) await write(one, null);
  await press(english.common.signOut);
  expect(dialog()?.querySelector("h2")?.textContent).toBe(title);
  expect(leave).not.toHaveBeenCalled();
  await press(english.common.cancel);
  expect(dialog()).toBeNull();
  expect(kept.drafts).toHaveLength(people.length);
  await press(english.common.signOut);
  await press(english.session.signOutAnyway);
  expect(leave).toHaveBeenCalledOnce();
});

test("a mail that is out is not lost, and a mail whose files are uploaded is", async () => {
  await write("anna@example.org", true);
  await press(english.common.signOut);
  expect(dialog()?.textContent).toContain(english.session.mailsOut(1));
  expect(dialog()?.querySelector("h2")?.textContent).toBe(english.session.signOutQuestion(0));
  await write("bert@example.org", false);
  expect(dialog()?.textContent).toContain(english.session.mailsUploading(1));
  expect(dialog()?.querySelector("h2")?.textContent).toBe(english.session.signOutQuestion(1));
});

test("settings that are not saved are asked about", async () => {
  await show(true);
  await press(english.common.signOut);
  expect(dialog()?.textContent).toContain(english.common.unsaved);
  await press(english.session.signOutAnyway);
  expect(leave).toHaveBeenCalledOnce();
});

test("when a person has gone, what was being sent is given up", async () => {
  const giveUps = [await write("anna@example.org", true), await write("bert@example.org", false)];
  await act(async () => stage.root.render(null));
  for (const giveUp of giveUps) expect(giveUp).toHaveBeenCalledOnce();
});
