/** How far a check has come, as a bar; it moves without saying how far before the numbers are known. */

import { useFormats } from "../language/formats";
import { useWords } from "../language/language";
import type { Check } from "./check";
import styles from "./check-progress.module.css";

interface Props extends Pick<Check, "checking" | "progress"> {
  /** What is checked; it is said with the bar. */
  name: string;
  /** Leaves out the words below the bar, where there is no room. */
  bare?: boolean;
}

export function CheckProgress({ name, checking, progress, bare = false }: Props) {
  const words = useWords();
  const formats = useFormats();
  if (!checking && !progress) return null;
  const known = progress !== null && progress.total > 0;
  const text = known
    ? words.checking.settled(formats.count(progress.done), formats.counted(progress.total))
    : words.checking.connecting;
  return (
    <div className={styles.progress}>
      <progress
        className={styles.bar}
        aria-label={words.checking.progressOf(name)}
        aria-valuetext={text}
        max={known ? progress.total : undefined}
        value={known ? progress.done : undefined}
      />
      {bare ? null : (
        <p className={styles.text} aria-hidden="true">
          {text}
        </p>
      )}
    </div>
  );
}
