import { act } from "react";
import { createRoot } from "react-dom/client";
import { expect, test, vi } from "vitest";
import { api } from "../../api/client";
import type { Message } from "../../api/messages";
import { NoticesProvider } from "../../controls/notices";
import { LanguageProvider } from "../../language/language";
import { message } from "../message.builder";
import { Attachments } from "./attachments";

const order = { id: "1", filename: "order.csv", content_type: "text/csv", octets: 26, inline: false };

test("whoever downloads a file keeps the focus on it while its address is asked for, once", async () => {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
  let fail = () => {};
  const asked = vi
    .spyOn(api, "GET")
    .mockReturnValue(new Promise((_, reject) => (fail = () => reject(new TypeError()))) as never);
  const place = document.body.appendChild(document.createElement("div"));
  const root = createRoot(place);
  const letter = message({ attachments: [order] as unknown as Message["attachments"] });
  await act(async () =>
    root.render(
      <LanguageProvider>
        <NoticesProvider>
          <Attachments message={letter} />
        </NoticesProvider>
      </LanguageProvider>,
    ),
  );
  const file = place.querySelector("button") as HTMLButtonElement;
  file.focus();
  await act(async () => file.click());
  await act(async () => file.click());
  expect(asked).toHaveBeenCalledOnce();
  expect(file.getAttribute("aria-busy")).toBe("true");
  expect(document.activeElement).toBe(file);
  await act(async () => fail());
  expect(file.hasAttribute("aria-disabled")).toBe(false);
  expect(document.activeElement).toBe(file);
  await act(async () => root.unmount());
  place.remove();
  vi.restoreAllMocks();
});
