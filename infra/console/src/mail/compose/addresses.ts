/** Addresses as people write them in a row: `Anna <anna@example.com>, bert@example.org; ...`. */
import type { Person } from "../../api/messages";

export interface Recipients {
  people: Person[];
  /** What is no address, as it was written. */
  wrong: string[];
}

const LONGEST_NAME = 100;
const LONGEST = 254;
const LOCAL = /^[^\s"(),:;<>@[\\\]]{1,64}$/;
const LABEL = /^[\p{L}\p{M}\p{N}]([\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?$/u;

/** Whether it looks like an address; the server has the last word. */
export function isAddress(text: string): boolean {
  const at = text.lastIndexOf("@");
  const local = text.slice(0, at);
  const labels = text.slice(at + 1).split(".");
  return (
    text.length <= LONGEST &&
    LOCAL.test(local) &&
    !/^\.|\.$|\.\./.test(local) &&
    labels.length > 1 &&
    labels.every((label) => LABEL.test(label))
  );
}

/** The people of a field. */
export function recipientsOf(written: string): Recipients {
  const found: Recipients = { people: [], wrong: [] };
  for (const piece of piecesOf(written)) {
    const person = personOf(piece);
    if (person) found.people.push(person);
    else found.wrong.push(piece);
  }
  return found;
}

/** The pieces between commas, semicolons and line ends that stand in no quotes and no brackets. */
function piecesOf(written: string): string[] {
  const pieces: string[] = [];
  let piece = "";
  let quoted = false;
  let bracketed = false;
  for (let at = 0; at < written.length; at += 1) {
    const character = written[at] ?? "";
    if (quoted && character === "\\") {
      piece += character + (written[at + 1] ?? "");
      at += 1;
      continue;
    }
    if (character === '"' && !bracketed) quoted = !quoted;
    if (!quoted && character === "<") bracketed = true;
    if (!quoted && character === ">") bracketed = false;
    if (/[,;\n]/.test(character) && !quoted && !bracketed) {
      pieces.push(piece);
      piece = "";
    } else piece += character;
  }
  pieces.push(piece);
  return pieces.map((one) => one.trim()).filter(Boolean);
}

function personOf(piece: string): Person | null {
  const named = /^(.*?)\s*<\s*([^<>]*?)\s*>$/s.exec(piece);
  const address = (named?.[2] ?? piece).replace(/^mailto:/i, "");
  if (!isAddress(address)) return null;
  return { name: unquoted(named?.[1] ?? "").slice(0, LONGEST_NAME), address };
}

function unquoted(name: string): string {
  const bare = name.trim();
  const inside = /^"(.*)"$/s.exec(bare)?.[1];
  return (inside === undefined ? bare : inside.replace(/\\(.)/g, "$1")).replace(/\s+/g, " ").trim();
}

/** People as a field shows them; what is read of it again is the same. */
export function written(people: readonly Person[]): string {
  return people.map(shown).join(", ");
}

function shown({ name, address }: Person): string {
  if (!name || name === address) return address;
  return `${/[",;<>()@:\\]/.test(name) ? `"${name.replace(/["\\]/g, "\\$&")}"` : name} <${address}>`;
}
