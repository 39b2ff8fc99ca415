/** Plain text as it was written, its links made links, what it quotes folded away. */
import { Fragment, useMemo } from "react";
import { useWords } from "../../language/language";
import { linkified, type Passage, passages } from "./linkify";
import styles from "./plain-text.module.css";

/** Shorter quotations are shown: to fold them would hide more than it helps. */
const FOLDED_LINES = 4;

export function PlainText({ text }: { text: string }) {
  const words = useWords();
  const read = useMemo(() => passages(text), [text]);
  return (
    <div className={styles.text} dir="auto">
      {read.map((passage, index) =>
        isFolded(passage) ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: the passages of a text do not change.
          <details key={index} className={styles.quoted}>
            <summary>{words.mail.quotedText}</summary>
            <Linkified text={passage.text} />
          </details>
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: the passages of a text do not change.
          <p key={index} className={passage.quoted ? styles.quoted : undefined}>
            <Linkified text={passage.text} />
          </p>
        ),
      )}
    </div>
  );
}

function isFolded({ quoted, text }: Passage): boolean {
  return quoted && text.split("\n").length > FOLDED_LINES;
}

function Linkified({ text }: { text: string }) {
  const pieces = useMemo(() => linkified(text), [text]);
  return pieces.map((piece, index) =>
    "href" in piece ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a text do not change.
      <a key={index} href={piece.href} title={piece.href} target="_blank" rel="noopener noreferrer">
        {piece.text}
      </a>
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a text do not change.
      <Fragment key={index}>{piece.text}</Fragment>
    ),
  );
}
