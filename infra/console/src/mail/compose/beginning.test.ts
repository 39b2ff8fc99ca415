import { expect, test } from "vitest";
import { mail } from "../../language/english/mail";
import type { Words } from "../../language/words";
import { message } from "../message.builder";
import { answerTo } from "./beginning";

test("of a message that is forwarded, files that lie beyond what is read of it are to be attached by hand", () => {
  const file = { content_type: "video/mp4", inline: false };
  const letter = message({
    attachments: [
      { ...file, id: "2", filename: "short.mp4", octets: 10 },
      { ...file, id: "3", filename: "long.mp4", octets: null },
    ],
  });
  const draft = answerTo(letter, "forward", "a", [], { words: { mail } as Words, full: String });
  expect(draft.files.map(({ name }) => name)).toEqual(["short.mp4"]);
  expect(draft.lost).toEqual(["long.mp4"]);
});
