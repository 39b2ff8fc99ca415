/** A message in the list: one link, so that it opens in a tab of its own too; the list follows it. */
import { CircleHelp, Clock, CornerUpRight } from "lucide-react";
import { memo } from "react";
import type { DeliveryState, Summary } from "../../api/messages";
import { useFormats } from "../../language/formats";
import { useWords } from "../../language/language";
import styles from "./message-row.module.css";

interface Props {
  message: Summary;
  href: string;
  isNew: boolean;
  isOpen: boolean;
  /** Whether the tabulator reaches it; the arrow keys go from there. */
  isReachable: boolean;
  /** In a list of several accounts: whose it is. */
  accountName: string | null;
  /** Any moment of it; another day tells the same instant otherwise. */
  today: Date;
}

export const MessageRow = memo(function MessageRow(props: Props) {
  const { message, href, isNew, isOpen, isReachable, accountName, today } = props;
  const words = useWords();
  const formats = useFormats();
  const { sender, recipients, delivery } = message;
  const who = delivery
    ? words.mail.to(recipients.join(", ") || words.mail.noRecipients)
    : sender.name || sender.address || words.mail.noSender;
  const at = message.dated ?? message.arrived ?? message.stored_at;
  return (
    <a
      href={`#${href}`}
      className={styles.row}
      data-new={isNew || undefined}
      data-message={message.id}
      aria-current={isOpen ? "true" : undefined}
      tabIndex={isReachable ? 0 : -1}
    >
      {isNew ? (
        <span className={styles.dot}>
          <span className="visually-hidden">{words.mail.isNew}.</span>
        </span>
      ) : null}
      <span className={styles.who} title={delivery ? undefined : sender.address}>
        {who}
      </span>
      <time className={styles.when} dateTime={at} title={formats.full(at)}>
        {formats.brief(at, today)}
      </time>
      <span className={styles.subject}>
        {delivery ? <DeliveryMark state={delivery} /> : null}
        {message.subject || words.mail.noSubject}
      </span>
      <span className={styles.size}>{formats.size(message.octets)}</span>
      {accountName === null ? null : <span className={styles.account}>{accountName}</span>}
    </a>
  );
});

const MARKS = { sent: CornerUpRight, sending: Clock, unconfirmed: CircleHelp } as const;

export function DeliveryMark({ state }: { state: DeliveryState }) {
  const words = useWords();
  const Picture = MARKS[state];
  const label = words.mail[state];
  return (
    <span className={`${styles.mark} ${styles[state]}`} title={label}>
      <Picture size={14} aria-hidden="true" />
      <span className={state === "sent" ? "visually-hidden" : undefined}>{label}</span>
    </span>
  );
}
