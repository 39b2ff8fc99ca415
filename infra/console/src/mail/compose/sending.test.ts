import { expect, test } from "vitest";
import { newDraft } from "./beginning";
import type { ChosenFile, StoredFile } from "./drafts";
import { inlineFiles, mailOf, withKey } from "./sending";

const chosen = (id: string, octets: number): ChosenFile => ({
  kind: "chosen",
  id,
  file: new File(["x"], id),
  name: id,
  type: "",
  octets,
});
const stored: StoredFile = {
  kind: "stored",
  id: "s",
  accountId: "a",
  messageId: "m",
  attachmentId: "1",
  name: "offer.pdf",
  type: "application/pdf",
  octets: 9_000_000,
};

test("the smallest files go along in the request, as long as they fit", () => {
  const files = [chosen("large", 2_500_000), chosen("small", 10), chosen("middle", 1_000_000), stored];
  expect([...inlineFiles(files)]).toEqual(["small", "middle"]);
});

test("trying the same again keeps the key; a changed mail gets its own", () => {
  const first = withKey({ ...newDraft("a"), text: "Hello" });
  expect(withKey(first).attempt.key).toBe(first.attempt.key);
  expect(withKey({ ...first, text: "Hello!" }).attempt.key).not.toBe(first.attempt.key);
});

test("files go by content, by upload, or by the message that has them", async () => {
  const uploadedFile = { ...chosen("large", 4_000_000), upload: { accountId: "a", uploadId: "u" } };
  const whole = { ...stored, id: "w", attachmentId: null, name: "offer.eml" };
  const mail = await mailOf({
    ...newDraft("b", "Anna <anna@example.com>"),
    files: [chosen("note.txt", 1), uploadedFile, stored, whole],
  });
  expect(mail.to).toEqual([{ address: "anna@example.com", name: "Anna" }]);
  expect(mail.attachments).toEqual([
    { filename: "note.txt", content_type: "application/octet-stream", content: "eA==" },
    { filename: "large", content_type: "application/octet-stream", upload_id: "u" },
    { filename: "offer.pdf", account_id: "a", message_id: "m", attachment_id: "1" },
    { filename: "offer.eml", account_id: "a", message_id: "m" },
  ]);
});

test("another account goes on with the thread by its Message-IDs", async () => {
  const ids = { inReplyTo: "<1@x>", references: ["<1@x>"] };
  const draft = { ...newDraft("a", "b@example.com"), thread: { name: { accountId: "a", messageId: "m" }, ids } };
  expect((await mailOf(draft)).in_reply_to).toBe("m");
  expect(await mailOf({ ...draft, accountId: "b" })).toMatchObject({ in_reply_to: "<1@x>", references: ["<1@x>"] });
});
