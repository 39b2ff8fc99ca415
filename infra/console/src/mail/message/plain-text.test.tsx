import { act } from "react";
import { expect, test, vi } from "vitest";
import { LanguageProvider } from "../../language/language";
import { newStage } from "../../stage.builder";
import { PlainText } from "./plain-text";

const stage = newStage();

test("an address in plain text begins a mail here, and any other link opens beside the console", async () => {
  const onWriteTo = vi.fn();
  const text = "anna@example.com or mailto:bert@example.org?subject=Lunch%20today or https://example.com/";
  await act(async () =>
    stage.root.render(
      <LanguageProvider>
        <PlainText text={text} onWriteTo={onWriteTo} />
      </LanguageProvider>,
    ),
  );
  const [anna, bert, page] = stage.place.querySelectorAll("a");
  const clicked = [anna, bert].map((link) => {
    const click = new MouseEvent("click", { bubbles: true, cancelable: true });
    link?.dispatchEvent(click);
    return click.defaultPrevented;
  });
  expect(clicked).toEqual([true, true]);
  expect(onWriteTo.mock.calls).toEqual([["anna@example.com"], ["mailto:bert%40example.org?subject=Lunch%20today"]]);
  expect(anna?.getAttribute("target")).toBeNull();
  expect(page?.getAttribute("target")).toBe("_blank");
});
