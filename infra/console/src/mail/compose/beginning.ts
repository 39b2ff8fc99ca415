/** What a mail begins as, before a word of it is written. */
import type { Account } from "../../api/accounts";
import type { Message } from "../../api/messages";
import type { Words } from "../../language/words";
import { beginningOf } from "../mailto";
import type { Answering } from "../route";
import { written } from "./addresses";
import { forwardSubject, quoted, replyRecipients, replySubject, threadOf, wordsOf } from "./answers";
import { type Draft, draftId, type StoredFile } from "./drafts";

/** Whether an account has an outgoing server. */
export function canSend(account: Account): boolean {
  return account.outgoing !== null;
}

/** The account that a mail begins with: the one it is about, else the default one, else any that can send. */
export function senderAmong(accounts: readonly Account[], preferred: string): string {
  const able = accounts.filter(canSend);
  const chosen = able.find(({ id }) => id === preferred) ?? able.find(({ is_default }) => is_default) ?? able[0];
  return chosen?.id ?? "";
}

/** A new mail; `linked` is whom the link was to that began it, or the whole mailto: link. */
export function newDraft(accountId: string, linked = ""): Draft {
  return {
    id: draftId(null, linked),
    answering: null,
    linked,
    accountId,
    bcc: "",
    ...beginningOf(linked),
    files: [],
    thread: null,
    lost: [],
    attempt: null,
  };
}

interface Told {
  words: Words;
  full: (instant: string | null) => string;
}

/** A reply to a message, or the message forwarded. */
export function answerTo(
  message: Message,
  how: Answering,
  accountId: string,
  accounts: readonly Account[],
  told: Told,
): Draft {
  const name = { accountId: message.account_id, messageId: message.id };
  const answering = { how, name };
  const draft: Draft = { ...newDraft(accountId), id: draftId(answering, ""), answering };
  if (how === "reply" || how === "reply-all") {
    // Mail from another account of one's own is somebody else's to this one.
    const holder = accounts.find(({ id }) => id === message.account_id);
    const own = holder ? [holder.email, holder.reply_to?.in_force ?? ""].filter(Boolean) : [];
    const { to, cc } = replyRecipients(message, how === "reply-all", own);
    const text = quoted(attribution(message, told), wordsOf(message));
    const thread = { name, ids: threadOf(message) };
    return { ...draft, to: written(to), cc: written(cc), subject: replySubject(message.subject), text, thread };
  }
  const subject = forwardSubject(message.subject);
  if (how === "forward-whole") return { ...draft, subject, files: [wholeOf(message, told.words)] };
  return { ...draft, subject, text: forwarded(message, told), ...filesOf(message, told.words) };
}

function attribution(message: Message, { words, full }: Told): string {
  const [sender] = message.from;
  return words.mail.wroteOn(full(message.dated ?? message.arrived), sender?.name || sender?.address || "?");
}

function forwarded(message: Message, { words, full }: Told): string {
  const lines = [
    words.mail.forwardedHead,
    `${words.mail.from}: ${written(message.from)}`,
    `${words.mail.date}: ${full(message.dated ?? message.arrived)}`,
    `${words.mail.subject}: ${message.subject}`,
    `${words.mail.toField}: ${written(message.to)}`,
    ...(message.cc.length ? [`${words.mail.cc}: ${written(message.cc)}`] : []),
  ];
  return `\n\n${lines.join("\n")}\n\n${wordsOf(message)}\n`;
}

/** The files that go along, and the names of those that cannot be taken out of the message. */
function filesOf(message: Message, words: Words): Pick<Draft, "files" | "lost"> {
  const files: StoredFile[] = [];
  const lost: string[] = [];
  for (const file of message.attachments.filter(({ inline }) => !inline)) {
    const name = file.filename || words.mail.unnamedFile;
    if (file.octets === null) lost.push(name);
    else
      files.push({
        kind: "stored",
        id: `${message.id} ${file.id}`,
        accountId: message.account_id,
        messageId: message.id,
        attachmentId: file.id,
        name,
        type: file.content_type,
        octets: file.octets,
      });
  }
  return { files, lost };
}

function wholeOf(message: Message, words: Words): StoredFile {
  return {
    kind: "stored",
    id: message.id,
    accountId: message.account_id,
    messageId: message.id,
    attachmentId: null,
    name: `${fileName(message.subject) || words.mail.message}.eml`,
    type: "message/rfc822",
    octets: message.octets,
  };
}

function fileName(subject: string): string {
  return subject
    .replace(/[\p{C}\\/:*?"<>|]+/gu, " ")
    .trim()
    .slice(0, 80);
}
