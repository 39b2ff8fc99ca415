/** What stands over an account's list: its check for mail, how far it is, and what its owner has to see to. */
import { Link } from "wouter";
import type { Account } from "../../api/accounts";
import { useCheck } from "../../checking/check";
import { CheckProgress } from "../../checking/check-progress";
import { useNow } from "../../controls/now";
import { useFormats } from "../../language/formats";
import { toldCode, useWords } from "../../language/language";
import styles from "./account-bar.module.css";
import { remedyOf, troubleOf } from "./account-state";

/** When it was last checked; or that it is being checked. */
export function LastChecked({ account }: { account: Account }) {
  const words = useWords();
  const formats = useFormats();
  const now = useNow();
  const { checking, progress } = useCheck(account);
  if (checking || progress) return words.mail.checking;
  const last = account.last_fetch;
  return last ? words.mail.lastChecked(formats.ago(last.at, now)) : words.mail.neverChecked;
}

/** How far a check is; nothing where none is under way. */
export function Collecting({ account }: { account: Account }) {
  const { checking, progress } = useCheck(account);
  if (!checking && !progress) return null;
  return (
    <div className={styles.progress}>
      <CheckProgress name={account.name} checking={checking} progress={progress} />
    </div>
  );
}

/** What keeps the account's mail from coming or going, and the way to the remedy. */
export function Trouble({ account }: { account: Account }) {
  const words = useWords();
  const trouble = troubleOf(account);
  if (!trouble) return null;
  const remedy = remedyOf(words, account);
  const error = account.last_fetch?.outcome === "failed" ? account.last_fetch.error : null;
  return (
    <div className={styles.trouble} data-grave={trouble !== "paused" && trouble !== "backing_off"}>
      <p>
        {words.mail.stopped[trouble]}
        {trouble === "backing_off" && error ? (
          <span className={styles.said}> {toldCode(words, error.code, error.message)}</span>
        ) : null}
      </p>
      {remedy ? <Link href={`/settings/${account.id}`}>{remedy}</Link> : null}
    </div>
  );
}
