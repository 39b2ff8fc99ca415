import { afterEach, expect, test, vi } from "vitest";
import { ApiFailure, api } from "../../api/client";
import { newDraft } from "./beginning";
import type { ChosenFile, StoredFile } from "./drafts";
import { attemptAfter, dispatch, inlineFiles, isUnsure, mailOf, mayComeTwice, UploadFailed, withKey } from "./sending";

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

const attempt = (unsure: boolean) => ({ key: "k", request: "r", unsure, unsureBefore: false });

test.each([
  ["is sure of what the server has refused", attempt(true), new ApiFailure(422, "recipients_refused", ""), true, false],
  ["is unsure without an answer", attempt(false), new ApiFailure(0, "unreachable", ""), true, true],
  ["stays unsure where the session has ended", attempt(true), new ApiFailure(401, "signed_out", ""), true, true],
  ["stays unsure where there were too many tries", attempt(true), new ApiFailure(429, "too_many", ""), true, true],
  ["stays sure where the session has ended", attempt(false), new ApiFailure(401, "signed_out", ""), true, false],
  ["stays unsure where its files are not there yet", attempt(true), new UploadFailed("a"), false, true],
])("a try %s", (_, before, failure, wasOut, unsure) => {
  expect(attemptAfter(before, failure, wasOut)).toEqual({ ...before, unsure });
});

test("a key that has another mail is used no more, and that mail may have been sent", () => {
  const draft = withKey(newDraft("a", "b@example.com"));
  const spent = {
    ...draft,
    attempt: attemptAfter(draft.attempt, new ApiFailure(422, "idempotency_key_reused", ""), true),
  };
  expect(mayComeTwice(spent)).toBe(true);
  expect(withKey(spent).attempt).toMatchObject({ unsure: false, unsureBefore: true });
  expect(withKey(spent).attempt.key).not.toBe(draft.attempt.key);
});

test("a mail may come twice only where one that may have been sent was another", () => {
  const draft = withKey({ ...newDraft("a"), text: "Hello" });
  const unsure = { ...draft, attempt: { ...draft.attempt, unsure: true } };
  expect(mayComeTwice(unsure)).toBe(false);
  expect(mayComeTwice({ ...unsure, text: "Hello!" })).toBe(true);
  expect(mayComeTwice({ ...draft, text: "Hello!" })).toBe(false);
  const second = withKey({ ...unsure, text: "Hello!" });
  expect(mayComeTwice(second)).toBe(false);
  expect(mayComeTwice({ ...second, text: "Hello?" })).toBe(true);
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

const answerOf = (status: number, code = "") => ({
  error: { error: { code } },
  response: new Response("{}", { status }),
});

test("an answer that came too late stays in doubt where the next try is turned away", async () => {
  vi.useFakeTimers();
  const post = vi.spyOn(api, "POST");
  post.mockResolvedValueOnce(answerOf(504) as never).mockResolvedValueOnce(answerOf(401, "signed_out") as never);
  const sending = dispatch(withKey(newDraft("a", "b@example.com")), going(new AbortController().signal));
  const failed = expect(sending).rejects.toMatchObject({ status: 504 });
  await vi.runAllTimersAsync();
  await failed;
  vi.useRealTimers();
});

test("a mail whose person has gone is asked for by nobody else, and its answer is for nobody", async () => {
  const post = vi.spyOn(api, "POST");
  for (const answer of [answerOf(504), { data: { id: "m" }, response: new Response("{}") }]) {
    const given = new AbortController();
    post.mockReset().mockImplementation((async () => {
      given.abort();
      return answer;
    }) as never);
    const sending = dispatch(withKey(newDraft("a", "b@example.com")), going(given.signal));
    await expect(sending).rejects.toMatchObject({ name: "AbortError" });
    expect(post).toHaveBeenCalledOnce();
  }
});

test("a file that cannot be uploaded is no mail that may have been sent", async () => {
  const answer = { error: { error: { code: "internal" } }, response: new Response(null, { status: 500 }) };
  vi.spyOn(api, "POST").mockResolvedValue(answer as never);
  const draft = withKey({ ...newDraft("a", "b@example.com"), files: [chosen("large", 4_000_000)] });
  const failure = await dispatch(draft, going(new AbortController().signal)).catch((reason: unknown) => reason);
  expect(failure).toBeInstanceOf(UploadFailed);
  expect(isUnsure(failure)).toBe(false);
});
