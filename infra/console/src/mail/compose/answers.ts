/** What a reply or a forwarded mail begins with: its recipients, its subject, the words it quotes. */
import type { Message, Person } from "../../api/messages";
import { plainTextOf } from "./plain-text";

const LONGEST_SUBJECT = 500;
const LONGEST_QUOTE = 200_000;
// What mail programs put before the subject of an answer, in the languages that are common here.
const REPLY = /^\s*(re|aw|sv|antw|tl|trả lời)\s*(\[\d+\])?\s*[:：]\s*/iu;
const FORWARD = /^\s*(fwd?|wg|vs|ct|chuyển tiếp)\s*[:：]\s*/iu;

/** The subject of a reply; an answer to an answer has one prefix, too. */
export function replySubject(subject: string): string {
  return `Re: ${without(REPLY, subject)}`.slice(0, LONGEST_SUBJECT);
}

/** The subject of a mail that is forwarded. */
export function forwardSubject(subject: string): string {
  return `Fwd: ${without(FORWARD, subject)}`.slice(0, LONGEST_SUBJECT);
}

function without(prefix: RegExp, subject: string): string {
  let rest = subject.trim();
  while (prefix.test(rest)) rest = rest.replace(prefix, "");
  return rest;
}

/**
 * Who gets a reply.
 *
 * Where its sender wants the answers elsewhere (Reply-To), there. A mail of one's own is answered to those it went to.
 * A name without an address, as in `Reply-To: Support`, is nobody. `own` are the addresses of the account that has the message: a reply to all leaves them out.
 */
export function replyRecipients(
  message: Message,
  toAll: boolean,
  own: readonly string[],
): { to: Person[]; cc: Person[] } {
  const mine = new Set(own.map(folded));
  const isMine = (person: Person) => mine.has(folded(person.address));
  const sentByMe = message.delivery !== null || message.from.some(isMine);
  const answered = message.reply_to.some(hasAddress) ? message.reply_to : message.from;
  const seen = new Set<string>();
  const first = sentByMe && message.to.some(hasAddress) ? message.to : answered;
  if (!toAll) return { to: once(first, seen), cc: [] };
  const others = (people: Person[]) =>
    once(
      people.filter((person) => !isMine(person)),
      seen,
    );
  const to = others(sentByMe ? message.to : [...answered, ...message.to]);
  const cc = others(message.cc);
  return to.length + cc.length ? { to, cc } : { to: once(first, seen), cc: [] };
}

function once(people: readonly Person[], seen: Set<string>): Person[] {
  return people.filter((person) => {
    const key = folded(person.address);
    if (!hasAddress(person) || seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** Whether anything can be sent there; a lone word of the header may stand in the place of an address. */
function hasAddress({ address }: Person): boolean {
  return address.includes("@");
}

function folded(address: string): string {
  return address.trim().toLowerCase();
}

/** The text of a message, bounded; taken out of the HTML where it has no other. */
export function wordsOf(message: Message): string {
  const text = message.text?.trim() ? message.text : plainTextOf(message.html ?? "");
  const whole = text.replace(/\r\n?/g, "\n").trimEnd();
  return whole.length > LONGEST_QUOTE ? `${whole.slice(0, LONGEST_QUOTE)}\n[...]` : whole;
}

/** The message as a reply quotes it, beneath the line that says whose words they are. */
export function quoted(attribution: string, text: string): string {
  const lines = text.split("\n").map((line) => (line.startsWith(">") ? `>${line}` : line ? `> ${line}` : ">"));
  return `\n\n${attribution}\n${lines.join("\n")}\n`;
}

/** The thread that a mail goes on with, where it is not sent by the account that has the answered message. */
export function threadOf(message: Message): { inReplyTo: string; references: string[] } | null {
  const ids = (text: string) => text.match(/<[!-;=?-~]{1,400}>/g) ?? [];
  const [inReplyTo] = ids(message.header_message_id);
  if (!inReplyTo) return null;
  const before = message.headers.find(({ name }) => name.toLowerCase() === "references")?.value ?? "";
  return { inReplyTo, references: [...ids(before), inReplyTo].slice(-50) };
}
