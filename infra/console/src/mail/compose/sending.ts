/**
 * A draft becomes a request, once, whatever the network does.
 *
 * Small files go along in the request, the others are uploaded first. The same request keeps its Idempotency-Key, so
 * that trying again never sends it twice; a changed one gets a key of its own.
 */
import { ApiFailure, answered, api } from "../../api/client";
import { type FileOut, type MailOut, type Person, type Sent, sendMail } from "../../api/messages";
import { recipientsOf } from "./addresses";
import type { Attempt, ChosenFile, Draft, DraftFile } from "./drafts";

/** Octets of all files that go along in the request; a request has 6 MB at the most, and base64 makes 4 of 3. */
export const MOST_INLINE = 3_000_000;
export const MOST_OCTETS = 50 * 1024 * 1024;
export const MOST_FILES = 50;
export const MOST_RECIPIENTS = 100;

const LONGEST_FILENAME = 200;
const CONTENT_TYPE = /^[A-Za-z0-9!#$&^_.+-]{1,60}\/[A-Za-z0-9!#$&^_.+-]{1,60}$/;
const AGAIN_MS = 3_000;
const MOST_TRIES = 12;

/** The upload of a file has failed. */
export class UploadFailed extends Error {
  constructor(readonly filename: string) {
    super(`${filename} could not be uploaded.`);
    this.name = "UploadFailed";
  }
}

/** The files that go along in the request: the smallest, as long as they fit. */
export function inlineFiles(files: readonly DraftFile[]): Set<string> {
  const inline = new Set<string>();
  let octets = 0;
  for (const file of files.filter((one) => one.kind === "chosen").toSorted((one, other) => one.octets - other.octets)) {
    octets += file.octets;
    if (octets > MOST_INLINE) break;
    inline.add(file.id);
  }
  return inline;
}

/** What tells one request from another: all of a draft but the octets of its files, which do not change. */
export function requestOf(draft: Draft): string {
  const files = draft.files.map(({ id, name, type }) => [id, name, type]);
  const { accountId, to, cc, bcc, subject, text, thread } = draft;
  return JSON.stringify([accountId, to, cc, bcc, subject, text, thread, files]);
}

/** The draft with the key that it is sent by: the one of the last try, where nothing has changed since. */
export function withKey(draft: Draft): Draft & { attempt: Attempt } {
  const request = requestOf(draft);
  const last = draft.attempt;
  if (last?.request === request) return { ...draft, attempt: last };
  const unsureBefore = Boolean(last?.unsure || last?.unsureBefore);
  return { ...draft, attempt: { key: crypto.randomUUID(), request, unsure: false, unsureBefore } };
}

/** Whether sending a draft may give its readers two mails: one that may have been sent was not the same as it is now. */
export function mayComeTwice(draft: Draft): boolean {
  const last = draft.attempt;
  return last !== null && (last.unsure || last.unsureBefore) && last.request !== requestOf(draft);
}

/** What is known of an attempt whose try has failed, after its request was out or before. */
export function attemptAfter(attempt: Attempt, failure: unknown, wasOut: boolean): Attempt {
  // The key has another mail, which may have been sent, and is of no more use for this one.
  if (failure instanceof ApiFailure && failure.code === "idempotency_key_reused") {
    return { ...attempt, request: "", unsure: true };
  }
  // Whoever was turned away at the door has learned nothing of what the key has sent before.
  if (!wasOut || isTurnedAway(failure)) return attempt;
  return { ...attempt, unsure: isUnsure(failure) };
}

interface Going {
  onProgress: (fileId: string, share: number) => void;
  onUploaded: (files: DraftFile[]) => void;
  /** The request goes out: nothing takes it back any more. */
  onOut: () => void;
  signal: AbortSignal;
}

/** Send a draft, with all that belongs to it. Throws ApiFailure, UploadFailed, AbortError where it was given up. */
export async function dispatch(draft: ReturnType<typeof withKey>, going: Going): Promise<Sent> {
  const files = await uploaded(draft, going.onProgress, going.signal);
  going.onUploaded(files);
  const mail = await mailOf({ ...draft, files });
  going.signal.throwIfAborted();
  going.onOut();
  return sendOnce(draft.accountId, mail, draft.attempt.key, going.signal);
}

/** Upload what does not fit in the request. Gives the files with where they are. Throws ApiFailure, UploadFailed. */
async function uploaded(
  draft: Draft,
  onProgress: (fileId: string, share: number) => void,
  signal: AbortSignal,
): Promise<DraftFile[]> {
  const inline = inlineFiles(draft.files);
  const files: DraftFile[] = [];
  for (const file of draft.files) {
    const isThere = file.kind === "stored" || inline.has(file.id) || file.upload?.accountId === draft.accountId;
    if (isThere) files.push(file);
    else files.push(await upload(file, draft.accountId, (share) => onProgress(file.id, share), signal));
  }
  return files;
}

async function upload(
  file: ChosenFile,
  accountId: string,
  onProgress: (share: number) => void,
  signal: AbortSignal,
): Promise<ChosenFile> {
  const offer = await answered(
    api.POST("/accounts/{account_id}/uploads", {
      params: { path: { account_id: accountId } },
      body: { octets: file.octets },
      signal,
    }),
  ).catch((failure: unknown) => {
    throw failure instanceof ApiFailure && failure.passes ? new UploadFailed(file.name) : failure;
  });
  await put(file, offer, onProgress, signal);
  return { ...file, upload: { accountId, uploadId: offer.upload_id } };
}

/** By XMLHttpRequest, as fetch tells nothing of how far an upload is. */
function put(
  file: ChosenFile,
  offer: { url: string; headers: Record<string, string> },
  onProgress: (share: number) => void,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", offer.url);
    for (const [name, value] of Object.entries(offer.headers)) {
      // The browser says these itself, and lets nobody else.
      if (!/^(content-length|host)$/i.test(name)) request.setRequestHeader(name, value);
    }
    request.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 0);
    request.onload = () => (request.status < 300 ? resolve() : reject(new UploadFailed(file.name)));
    request.onerror = () => reject(new UploadFailed(file.name));
    request.onabort = () => reject(new DOMException("The upload was given up.", "AbortError"));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(file.file);
  });
}

/** The mail as the API takes it. */
export async function mailOf(draft: Draft): Promise<MailOut> {
  const inline = inlineFiles(draft.files);
  return {
    to: recipientsOf(draft.to).people.map(recipient),
    cc: recipientsOf(draft.cc).people.map(recipient),
    bcc: recipientsOf(draft.bcc).people.map(recipient),
    subject: draft.subject.trim(),
    text: draft.text,
    html: "",
    attachments: await Promise.all(draft.files.map((file) => attachmentOf(file, inline))),
    ...threadIn(draft),
  };
}

function recipient({ name, address }: Person): { address: string; name?: string } {
  return name ? { address, name } : { address };
}

/** A stored message is named by its id where its own account answers, and by its Message-ID elsewhere. */
function threadIn({ thread, accountId }: Draft): Pick<MailOut, "in_reply_to" | "references"> {
  if (!thread) return { references: [] };
  if (thread.name.accountId === accountId) return { in_reply_to: thread.name.messageId, references: [] };
  return thread.ids ? { in_reply_to: thread.ids.inReplyTo, references: thread.ids.references } : { references: [] };
}

async function attachmentOf(file: DraftFile, inline: ReadonlySet<string>): Promise<FileOut> {
  const filename =
    file.name
      .replace(/\p{C}+/gu, " ")
      .trim()
      .slice(-LONGEST_FILENAME) || "file";
  if (file.kind === "stored") {
    const where = { account_id: file.accountId, message_id: file.messageId };
    return file.attachmentId ? { filename, ...where, attachment_id: file.attachmentId } : { filename, ...where };
  }
  const content_type = CONTENT_TYPE.test(file.type) ? file.type : "application/octet-stream";
  if (inline.has(file.id)) return { filename, content_type, content: await base64Of(file.file) };
  return { filename, content_type, upload_id: file.upload?.uploadId ?? null };
}

function base64Of(file: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).split(",", 2)[1] ?? "");
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

/**
 * Send it. While it is under way elsewhere, or the answer came too late, the same is asked again; it is sent once.
 *
 * Throws ApiFailure; `isUnsure` tells whether it may have been sent all the same. Throws AbortError where its person has
 * gone: it is not asked again, by whoever is there instead, and its answer is for nobody.
 */
async function sendOnce(accountId: string, mail: MailOut, key: string, signal: AbortSignal): Promise<Sent> {
  let before: unknown = null;
  for (let tried = 1; ; tried += 1) {
    try {
      const sent = await sendMail(accountId, mail, key);
      signal.throwIfAborted();
      return sent;
    } catch (failure) {
      signal.throwIfAborted();
      const isUnderWay = failure instanceof ApiFailure && (failure.code === "under_way" || failure.status === 504);
      // What was unsure before stays so where this try has not been looked at.
      if (!isUnderWay || tried >= MOST_TRIES) throw before && isTurnedAway(failure) ? before : failure;
      before = failure;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      signal.throwIfAborted();
    }
  }
}

/**
 * What popfetch answers with, of 500 and more, where nothing was sent for sure.
 *
 * Its own trouble with the storage is none of it: it may be that what the key has sent before cannot be read.
 */
const NOTHING_SENT: readonly string[] = ["token_endpoint_unavailable"];

const TURNED_AWAY: readonly number[] = [401, 403, 404, 413, 429];

/** Whether a request was refused before anybody looked at its key. */
function isTurnedAway(failure: unknown): boolean {
  return failure instanceof ApiFailure && TURNED_AWAY.includes(failure.status);
}

/** Whether a mail may have been sent although no answer says so. */
export function isUnsure(failure: unknown): boolean {
  if (!(failure instanceof ApiFailure)) return false;
  const { status, code } = failure;
  return code === "under_way" || status === 0 || (status >= 500 && !NOTHING_SENT.includes(code));
}
