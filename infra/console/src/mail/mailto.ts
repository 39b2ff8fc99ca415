/**
 * mailto: links (RFC 6068), and what a new mail begins with that they lead to.
 *
 * A link fills in whom a mail is for, its copies, subject and text, where its writer sees them before it is sent. Other
 * headers, hidden copies and files are none of a link's business (sections 3 and 7).
 */
import { recipientsOf } from "./compose/addresses";

export interface Beginning {
  to: string;
  cc: string;
  subject: string;
  text: string;
}

const NOTHING: Beginning = { to: "", cc: "", subject: "", text: "" };

const SCHEME = /^mailto:/i;
/** Nothing that is taken of a link makes it longer than this. */
const LONGEST_LINK = 1_000_000;
const MOST_RECIPIENTS = 100;
const LONGEST_RECIPIENT = 320;
const LONGEST_SUBJECT = 500;
const LONGEST_TEXT = 10_000;
/** What would have a line read otherwise than it is, and the halves of characters. */
const TURNING = /[\u202a-\u202e\u2066-\u2069\p{Cs}]/gu;

/** What a mail begins with: `linked` is whom it is for, or a whole mailto: link. */
export function beginningOf(linked: string): Beginning {
  if (!SCHEME.test(linked)) return { ...NOTHING, to: linked };
  if (linked.length > LONGEST_LINK) return NOTHING;
  // A fragment means nothing here (section 2).
  const [path = "", ...query] = linked.replace(SCHEME, "").replace(/#.*$/s, "").split("?");
  const fields = query.join("?").split("&").map(fieldOf);
  const all = (name: string) => fields.filter((field) => field.name === name).map(({ value }) => value);
  return {
    to: people([decoded(path), ...all("to")]),
    cc: people(all("cc")),
    subject: line(all("subject")[0] ?? ""),
    text: lines(all("body")[0] ?? ""),
  };
}

/** A link as an address of the console holds it: no more than is taken of it, and of a plain one just whom it is to. */
export function linkedTo(href: string): string {
  const { to, cc, subject, text } = beginningOf(href);
  const fields = Object.entries({ cc, subject, body: text.replaceAll("\n", "\r\n") }).filter(([, value]) => value);
  if (!fields.length) return to;
  return `mailto:${encodeURIComponent(to)}?${fields.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&")}`;
}

function fieldOf(field: string): { name: string; value: string } {
  const [name = "", ...value] = field.split("=");
  return { name: decoded(name).toLowerCase(), value: decoded(value.join("=")) };
}

/** What is percent-encoded UTF-8 decoded; the rest as it is, a plus too (section 5). */
function decoded(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (octets) => {
    try {
      return decodeURIComponent(octets);
    } catch {
      return octets;
    }
  });
}

/** Addresses alone, without names that might be somebody else's; each whole, as one that is cut is another. */
function people(lists: readonly string[]): string {
  const list = lists.join(", ").replace(/[\s\p{Cc}]+/gu, " ");
  const { people, wrong } = recipientsOf(list.replace(/[\p{Cf}\p{Cs}]/gu, ""));
  return [...people.map(({ address }) => address), ...wrong]
    .filter((one) => one.length <= LONGEST_RECIPIENT)
    .slice(0, MOST_RECIPIENTS)
    .join(", ");
}

function line(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();
  return plain.slice(0, LONGEST_SUBJECT).replace(TURNING, "");
}

function lines(text: string): string {
  const plain = text.replace(/\r\n?/g, "\n").replace(/[^\P{Cc}\n\t]/gu, "");
  return plain.slice(0, LONGEST_TEXT).replace(TURNING, "");
}
