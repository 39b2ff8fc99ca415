/**
 * Whether what is shown is still so: the accounts are read again and again, and while that fails, it is said.
 *
 * What has been read stays on the screen meanwhile; nobody could tell by the look of it that it has grown old.
 */
import { CloudOff } from "lucide-react";
import { useRef, useState } from "react";
import { useAccounts } from "../api/accounts";
import { Button } from "../controls/button";
import { useFormats } from "../language/formats";
import { toldFailure, useWords } from "../language/language";
import styles from "./freshness.module.css";

/** A strip while it fails: what has failed, since when nothing new was read, and another try. */
export function Freshness() {
  const words = useWords();
  const formats = useFormats();
  const { error, dataUpdatedAt, isRefetchError, refetch } = useAccounts();
  const [busy, setBusy] = useState(false);
  const strip = useRef<HTMLDivElement>(null);

  const tryAgain = async () => {
    setBusy(true);
    const { isSuccess } = await refetch();
    setBusy(false);
    // The strip goes, and the focus that was in it would go to nowhere.
    const { activeElement } = document;
    const wasHere = activeElement === document.body || strip.current?.contains(activeElement);
    if (isSuccess && wasHere) document.querySelector("main")?.focus({ preventScroll: true });
  };
  return (
    <div ref={strip} className={isRefetchError ? styles.strip : "visually-hidden"}>
      {isRefetchError ? <CloudOff size={18} aria-hidden="true" /> : null}
      {/* It is there before it has words, or they would not be read out. */}
      <p role="status">
        {isRefetchError
          ? `${toldFailure(words, error)} ${words.common.shownSince(formats.moment(new Date(dataUpdatedAt).toISOString()))}`
          : null}
      </p>
      {isRefetchError ? (
        <Button busy={busy} onClick={() => void tryAgain()}>
          {words.common.tryAgain}
        </Button>
      ) : null}
    </div>
  );
}
