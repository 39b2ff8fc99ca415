import { act } from "react";
import { createRoot } from "react-dom/client";
import { expect, test, vi } from "vitest";
import { LanguageProvider } from "../../language/language";
import { PlainText } from "./plain-text";

test("an address in plain text begins a mail here, and any other link opens beside the console", async () => {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
  const place = document.body.appendChild(document.createElement("div"));
  const root = createRoot(place);
  const onWriteTo = vi.fn();
  const text = "anna@example.com or mailto:bert@example.org?subject=Lunch%20today or https://example.com/";
  await act(async () =>
    root.render(
      <LanguageProvider>
        <PlainText text={text} onWriteTo={onWriteTo} />
      </LanguageProvider>,
    ),
  );
  const [anna, bert, page] = place.querySelectorAll("a");
  const clicked = [anna, bert].map((link) => {
    const click = new MouseEvent("click", { bubbles: true, cancelable: true });
    link?.dispatchEvent(click);
    return click.defaultPrevented;
  });
  expect(clicked).toEqual([true, true]);
  expect(onWriteTo.mock.calls).toEqual([["anna@example.com"], ["mailto:bert%40example.org?subject=Lunch%20today"]]);
  expect(anna?.getAttribute("target")).toBeNull();
  expect(page?.getAttribute("target")).toBe("_blank");
  await act(async () => root.unmount());
  place.remove();
});
