/** How an account does: a word with its sign, and what came of the last check. */
import type { Account } from "../api/accounts";
import { useNow } from "../controls/now";
import { useFormats } from "../language/formats";
import { toldCode, useWords } from "../language/language";
import styles from "./standing.module.css";
import { troublesOf } from "./trouble";

type Look = "good" | "warn" | "bad" | "plain";

const LOOKS: Record<Account["status"], Look> = {
  active: "good",
  backing_off: "warn",
  auth_failed: "bad",
  connection_failed: "bad",
  paused: "plain",
};

export function Standing({ account }: { account: Account }) {
  const words = useWords();
  const [trouble] = troublesOf(account);
  const waiting = trouble?.kind === "not_connected";
  const failing = account.status === "active" && trouble?.kind === "failing";
  const word = waiting
    ? words.settings.standing.notConnected
    : failing
      ? words.settings.standing.failing
      : words.settings.standing[account.status];
  return (
    <p className={styles.standing}>
      <span className={`${styles.dot} ${styles[failing ? "warn" : LOOKS[account.status]]}`} aria-hidden="true" />
      <span className={styles.word}>{word}</span>
      <LastCheck account={account} />
    </p>
  );
}

/** When the account was last checked, and what came of it. */
export function LastCheck({ account }: { account: Account }) {
  const words = useWords();
  const formats = useFormats();
  const now = useNow();
  const last = account.last_fetch;
  if (!last) return <span className={styles.last}>{words.settings.standing.neverChecked}</span>;
  const came = last.error
    ? toldCode(words, last.error.code, last.error.message)
    : last.stored > 0
      ? words.settings.standing.stored(formats.counted(last.stored))
      : words.settings.standing.nothingNew;
  return (
    <span className={styles.last}>
      <time dateTime={last.at} title={formats.full(last.at)}>
        {words.settings.standing.checked(formats.ago(last.at, now))}
      </time>
      {": "}
      {came}
    </span>
  );
}
