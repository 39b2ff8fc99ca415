import type { Delivery } from "../../api/messages";
import { toldCode, useWords } from "../../language/language";
import styles from "./delivered.module.css";

/** What became of a mail that was sent. */
export function Delivered({ delivery }: { delivery: Delivery }) {
  const words = useWords();
  const { state, refused } = delivery;
  return (
    <div className={styles.delivered} data-tone={refused.length ? "bad" : state === "sent" ? "good" : "warn"}>
      {refused.length && state === "sent" ? null : <p>{words.mail.deliveries[state]}</p>}
      {refused.length ? (
        <>
          <p>{words.mail.deliveries.partly}</p>
          <Refused refused={refused} />
        </>
      ) : null}
    </div>
  );
}

/** Who does not get a mail, and why. */
export function Refused({ refused }: { refused: Delivery["refused"] }) {
  const words = useWords();
  return (
    <ul className={styles.refused}>
      {refused.map((one) => (
        <li key={one.address}>
          <strong>{one.address}</strong>: {toldCode(words, one.code, one.message)}
          {one.server_said ? <span className={styles.said}> {words.mail.serverSaid(one.server_said)}</span> : null}
        </li>
      ))}
    </ul>
  );
}
