/** Plain text as it was written, its links made links, what it quotes folded away. */
import { Fragment, useMemo } from "react";
import { useWords } from "../../language/language";
import { linkedTo } from "../mailto";
import { linkified, type Passage, passages } from "./linkify";
import styles from "./plain-text.module.css";

/** Shorter quotations are shown: to fold them would hide more than it helps. */
const FOLDED_LINES = 4;

interface Props {
  text: string;
  /** A link to write to somebody was followed. */
  onWriteTo: (linked: string) => void;
}

export function PlainText({ text, onWriteTo }: Props) {
  const words = useWords();
  const read = useMemo(() => passages(text), [text]);
  return (
    <div className={styles.text} dir="auto">
      {read.map((passage, index) =>
        isFolded(passage) ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: the passages of a text do not change.
          <details key={index} className={styles.quoted}>
            <summary>{words.mail.quotedText}</summary>
            <Linkified text={passage.text} onWriteTo={onWriteTo} />
          </details>
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: the passages of a text do not change.
          <p key={index} className={passage.quoted ? styles.quoted : undefined}>
            <Linkified text={passage.text} onWriteTo={onWriteTo} />
          </p>
        ),
      )}
    </div>
  );
}

function isFolded({ quoted, text }: Passage): boolean {
  return quoted && text.split("\n").length > FOLDED_LINES;
}

function Linkified({ text, onWriteTo }: Props) {
  const pieces = useMemo(() => linkified(text), [text]);
  return pieces.map((piece, index) =>
    !("href" in piece) ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a text do not change.
      <Fragment key={index}>{piece.text}</Fragment>
    ) : piece.href.startsWith("mailto:") ? (
      <a
        // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a text do not change.
        key={index}
        href={piece.href}
        title={piece.href}
        onClick={(event) => {
          event.preventDefault();
          onWriteTo(linkedTo(piece.href));
        }}
      >
        {piece.text}
      </a>
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a text do not change.
      <a key={index} href={piece.href} title={piece.href} target="_blank" rel="noopener noreferrer">
        {piece.text}
      </a>
    ),
  );
}
