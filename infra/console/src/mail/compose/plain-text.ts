/** The words of a mail's HTML. It is read by a parser that runs no script and loads nothing. */

const BLOCKS = new Set(
  "ADDRESS ARTICLE ASIDE BLOCKQUOTE CENTER DD DIV DL DT FIGURE FOOTER FORM H1 H2 H3 H4 H5 H6 HEADER HR LI MAIN NAV OL P PRE SECTION TABLE TR UL".split(
    " ",
  ),
);
const SILENT = new Set(["HEAD", "STYLE", "SCRIPT", "TEMPLATE", "TITLE", "NOSCRIPT"]);

export function plainTextOf(html: string): string {
  const read = new DOMParser().parseFromString(html, "text/html");
  return wordsIn(read.body)
    .replace(/[ \t\u00a0]+/g, " ")
    .replace(/ ?\n ?/g, "\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}

function wordsIn(node: Node): string {
  if (node.nodeType === Node.TEXT_NODE) return (node.textContent ?? "").replace(/\s+/g, " ");
  if (!(node.nodeType === Node.ELEMENT_NODE) || SILENT.has(node.nodeName)) return "";
  if (node.nodeName === "BR") return "\n";
  const inside = node.nodeName === "PRE" ? (node.textContent ?? "") : [...node.childNodes].map(wordsIn).join("");
  if (node.nodeName === "LI") return `\n- ${inside.trim()}\n`;
  if (node.nodeName === "P") return `\n\n${inside.trim()}\n\n`;
  if (node.nodeName === "TD" || node.nodeName === "TH") return `${inside} `;
  return BLOCKS.has(node.nodeName) ? `\n${inside}\n` : inside;
}
