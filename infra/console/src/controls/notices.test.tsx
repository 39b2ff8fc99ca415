import { act, type ReactNode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LanguageProvider } from "../language/language";
import { NoticesProvider, useNotices } from "./notices";

let place: HTMLElement;
let root: Root;
let notices: ReturnType<typeof useNotices>;

function Held(): ReactNode {
  notices = useNotices();
  return null;
}

beforeEach(async () => {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
  place = document.body.appendChild(document.createElement("div"));
  root = createRoot(place);
  await act(async () =>
    root.render(
      <LanguageProvider>
        <NoticesProvider>
          <Held />
        </NoticesProvider>
      </LanguageProvider>,
    ),
  );
});
afterEach(() => {
  act(() => root.unmount());
  place.remove();
});

test("what began for who was here is told to nobody who comes after", () => {
  // given
  const before = notices;

  // when
  act(() => {
    before.forget();
    before.tell("Sent to anna@example.com.", "good");
  });
  act(() => before.tellFailure(new Error("refused")));

  // then
  expect(place.querySelector("[role=status]")?.textContent).toBe("");

  // when
  act(() => notices.tell("Saved"));

  // then
  expect(place.textContent).toContain("Saved");
});

test("whoever comes is told why, and nothing else", () => {
  act(() => notices.tell("Work is refused.", "bad"));
  act(() => notices.forget("bert@example.org has signed in."));
  expect(place.querySelector("[role=status]")?.textContent).toBe("bert@example.org has signed in.");
});
