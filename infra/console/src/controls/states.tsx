/** What stands in the place of content: while it is fetched, where there is none, and where it failed. */
import type { ReactNode } from "react";
import { toldFailure, useWords } from "../language/language";
import { Button } from "./button";
import styles from "./states.module.css";

export function Loading({ label }: { label?: string }) {
  const words = useWords();
  return (
    <div className={styles.state} role="status">
      <span className={styles.spinner} aria-hidden="true" />
      <span className={label ? undefined : "visually-hidden"}>{label ?? words.common.loading}</span>
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className={styles.state}>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Failed({ failure, onRetry }: { failure: unknown; onRetry?: () => void }) {
  const words = useWords();
  return (
    <div className={styles.state} role="alert">
      <p>{toldFailure(words, failure)}</p>
      {onRetry ? <Button onClick={onRetry}>{words.common.tryAgain}</Button> : null}
    </div>
  );
}
