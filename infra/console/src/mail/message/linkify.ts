/** Where the links are in plain text. Only http, https and mailto become links. */

export type Piece = { text: string } | { text: string; href: string };

// Bounded, and begun at a word's beginning alone, so that no text makes it look at the same characters over and over.
const CANDIDATE =
  /(?<!\w)(?:https?:\/\/|mailto:|www\.)[^\s<>"“”]{1,2000}|(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,10}/giu;
const SCHEMES: readonly string[] = ["http:", "https:", "mailto:"];

/** The text in pieces, in order; together they are the text. */
export function linkified(text: string): Piece[] {
  const pieces: Piece[] = [];
  let done = 0;
  for (const found of text.matchAll(CANDIDATE)) {
    const shown = trimmed(found[0]);
    const href = target(shown);
    if (!href) continue;
    if (found.index > done) pieces.push({ text: text.slice(done, found.index) });
    pieces.push({ text: shown, href });
    done = found.index + shown.length;
  }
  if (done < text.length) pieces.push({ text: text.slice(done) });
  return pieces;
}

const OPENED_BY: Record<string, string> = { ")": "(", "]": "[", "}": "{" };

/** Without what ends the sentence, and without a bracket that was opened before it. */
function trimmed(link: string): string {
  const counts: Record<string, number> = {};
  for (const character of link) counts[character] = (counts[character] ?? 0) + 1;
  let end = link.length;
  for (; end > 0; end -= 1) {
    const last = link[end - 1] ?? "";
    const opening = OPENED_BY[last];
    const closesWhatIsOutside = opening !== undefined && (counts[last] ?? 0) > (counts[opening] ?? 0);
    if (!closesWhatIsOutside && !/[.,;:!?'’*_]/.test(last)) break;
    counts[last] = (counts[last] ?? 1) - 1;
  }
  return link.slice(0, end);
}

function target(shown: string): string | null {
  const written = /^www\./i.test(shown) ? `https://${shown}` : /^[a-z]+:/i.test(shown) ? shown : `mailto:${shown}`;
  try {
    const url = new URL(written);
    return SCHEMES.includes(url.protocol) && (url.protocol === "mailto:" || url.hostname) ? url.href : null;
  } catch {
    return null;
  }
}

export interface Passage {
  quoted: boolean;
  text: string;
}

/** The text in passages: what the sender wrote, and what is quoted of somebody else. */
export function passages(text: string): Passage[] {
  const found: Passage[] = [];
  for (const line of text.replace(/\r\n?/g, "\n").split("\n")) {
    const quoted = line.startsWith(">");
    const last = found.at(-1);
    if (last?.quoted === quoted) last.text += `\n${line}`;
    else found.push({ quoted, text: line });
  }
  return found;
}
