/** The people of a header: names with addresses; where there are many, the rest on demand. */
import { useState } from "react";
import type { Person } from "../../api/messages";
import { useFormats } from "../../language/formats";
import { useWords } from "../../language/language";
import styles from "./people.module.css";

const SHOWN = 3;

export function People({ people }: { people: readonly Person[] }) {
  const words = useWords();
  const formats = useFormats();
  const [all, setAll] = useState(false);
  // One more takes no more room than the words that would hide it.
  const hidden = all || people.length <= SHOWN + 1 ? 0 : people.length - SHOWN;
  const shown = hidden ? people.slice(0, SHOWN) : people;
  return (
    <>
      {shown.map((person, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the same person may be named twice.
        <span key={index} className={styles.person}>
          {person.name && person.name !== person.address ? (
            <>
              <span className={styles.name}>{person.name}</span>{" "}
              <span className={styles.address}>&lt;{person.address}&gt;</span>
            </>
          ) : (
            <span className={styles.name}>{person.address}</span>
          )}
          {index < people.length - 1 ? ", " : ""}
        </span>
      ))}
      {hidden ? (
        <button type="button" className={styles.more} onClick={() => setAll(true)}>
          {words.mail.moreRecipients(formats.count(hidden))}
        </button>
      ) : null}
    </>
  );
}
