import { act, type ReactNode } from "react";
import { beforeEach, expect, test } from "vitest";
import { LanguageProvider } from "../language/language";
import { newStage } from "../stage.builder";
import { NoticesProvider, useNotices } from "./notices";

const stage = newStage();
let notices: ReturnType<typeof useNotices>;

function Held(): ReactNode {
  notices = useNotices();
  return null;
}

beforeEach(async () => {
  await act(async () =>
    stage.root.render(
      <LanguageProvider>
        <NoticesProvider>
          <Held />
        </NoticesProvider>
      </LanguageProvider>,
    ),
  );
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
  expect(stage.place.querySelector("[role=status]")?.textContent).toBe("");

  // when
  act(() => notices.tell("Saved"));

  // then
  expect(stage.place.textContent).toContain("Saved");
});

test("whoever comes is told why, and nothing else", () => {
  act(() => notices.tell("Work is refused.", "bad"));
  act(() => notices.forget("bert@example.org has signed in."));
  expect(stage.place.querySelector("[role=status]")?.textContent).toBe("bert@example.org has signed in.");
});
