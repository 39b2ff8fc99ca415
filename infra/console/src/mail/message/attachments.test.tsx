import { act } from "react";
import { expect, test, vi } from "vitest";
import { api } from "../../api/client";
import type { Message } from "../../api/messages";
import { NoticesProvider } from "../../controls/notices";
import { LanguageProvider } from "../../language/language";
import { newStage } from "../../stage.builder";
import { message } from "../message.builder";
import { Attachments } from "./attachments";

const stage = newStage();

const order = { id: "1", filename: "order.csv", content_type: "text/csv", octets: 26, inline: false };

async function show(attachments: Message["attachments"]) {
  const letter = message({ attachments });
  await act(async () =>
    stage.root.render(
      <LanguageProvider>
        <NoticesProvider>
          <Attachments message={letter} />
        </NoticesProvider>
      </LanguageProvider>,
    ),
  );
}

test("a file that lies beyond what is read of a message says so, and is no button", async () => {
  await show([order, { ...order, id: "2", filename: "film.mp4", octets: null }]);
  expect([...stage.place.querySelectorAll("button")].map((button) => button.textContent)).toEqual([
    expect.stringContaining("order.csv"),
  ]);
  expect(stage.place.textContent).toContain("film.mp4");
  expect(stage.place.textContent).toContain("Download the message");
});

test("whoever downloads a file keeps the focus on it while its address is asked for, once", async () => {
  let fail = () => {};
  const asked = vi
    .spyOn(api, "GET")
    .mockReturnValue(new Promise((_, reject) => (fail = () => reject(new TypeError()))) as never);
  await show([order]);
  const file = stage.place.querySelector("button") as HTMLButtonElement;
  file.focus();
  await act(async () => file.click());
  await act(async () => file.click());
  expect(asked).toHaveBeenCalledOnce();
  expect(file.getAttribute("aria-busy")).toBe("true");
  expect(document.activeElement).toBe(file);
  await act(async () => fail());
  expect(file.hasAttribute("aria-disabled")).toBe(false);
  expect(document.activeElement).toBe(file);
  vi.restoreAllMocks();
});
