import { afterEach, expect, test, vi } from "vitest";
import { ApiFailure, api } from "../../api/client";
import { newDraft } from "./beginning";
import type { ChosenFile, StoredFile } from "./drafts";
import { dispatch, inlineFiles, isUnsure, mailOf, UploadFailed, withKey } from "./sending";

afterEach(() => vi.restoreAllMocks());

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

test.each([
  [0, "unreachable", true],
  [409, "under_way", true],
  [500, "internal", true],
  [502, "unknown", true],
  [503, "storage_unavailable", true],
  [504, "unknown", true],
  [503, "token_endpoint_unavailable", false],
  [422, "recipients_refused", false],
])("after %i %s it is unsure whether it was sent: %s", (status, code, unsure) => {
  expect(isUnsure(new ApiFailure(status, code, ""))).toBe(unsure);
});

const going = (signal: AbortSignal) => ({ onProgress: vi.fn(), onUploaded: vi.fn(), onOut: vi.fn(), signal });

test("a mail that is given up before its request is out is not sent", async () => {
  const post = vi.spyOn(api, "POST");
  const given = new AbortController();
  const told = going(given.signal);
  told.onUploaded.mockImplementation(() => given.abort());
  await expect(dispatch(withKey(newDraft("a", "b@example.com")), told)).rejects.toMatchObject({ name: "AbortError" });
  expect(told.onOut).not.toHaveBeenCalled();
  expect(post).not.toHaveBeenCalled();
});

test("a file that cannot be uploaded is no mail that may have been sent", async () => {
  const answer = { error: { error: { code: "internal" } }, response: new Response(null, { status: 500 }) };
  vi.spyOn(api, "POST").mockResolvedValue(answer as never);
  const draft = withKey({ ...newDraft("a", "b@example.com"), files: [chosen("large", 4_000_000)] });
  const failure = await dispatch(draft, going(new AbortController().signal)).catch((reason: unknown) => reason);
  expect(failure).toBeInstanceOf(UploadFailed);
  expect(isUnsure(failure)).toBe(false);
});
