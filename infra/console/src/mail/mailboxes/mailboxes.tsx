/** The left panel: all mail, and each account by its name, with what is new in it and how it does. */
import { Inbox, PenLine, SquarePen } from "lucide-react";
import { Link } from "wouter";
import type { Account } from "../../api/accounts";
import { ALL, type Scope } from "../../api/messages";
import { useFormats } from "../../language/formats";
import { useWords } from "../../language/language";
import { useDrafts } from "../compose/drafts";
import { addressOf, NEW_MAIL, NO_SEARCH } from "../route";
import { remedyOf, StateMark, stateOf } from "./account-state";
import styles from "./mailboxes.module.css";

const listAddress = (scope: Scope) => addressOf({ scope, search: NO_SEARCH, beside: { kind: "nothing" } });

export function Mailboxes({ accounts, scope }: { accounts: readonly Account[]; scope: Scope }) {
  const words = useWords();
  const { drafts } = useDrafts();
  const unread = accounts.reduce((sum, account) => sum + account.unread, 0);
  const current = (one: Scope) => (one === scope ? "page" : undefined);
  return (
    <div className={styles.panel}>
      <Link href={addressOf({ scope, search: NO_SEARCH, beside: NEW_MAIL })} className={styles.write}>
        <SquarePen size={18} aria-hidden="true" />
        {words.mail.write}
      </Link>
      {drafts.length ? (
        <section className={styles.drafts}>
          <h2 className={styles.heading}>{words.mail.drafts}</h2>
          <ul className={styles.list}>
            {drafts.map((draft) => (
              <li key={draft.id}>
                <Link
                  href={addressOf({
                    scope,
                    search: NO_SEARCH,
                    beside: { kind: "compose", answering: draft.answering, to: draft.linked },
                  })}
                  className={styles.draft}
                >
                  <PenLine size={16} aria-hidden="true" />
                  <span className={styles.name}>{words.mail.draftOf(draft.subject)}</span>
                </Link>
              </li>
            ))}
          </ul>
        </section>
      ) : null}
      <ul className={styles.list}>
        <li>
          <Link href={listAddress(ALL)} className={styles.mailbox} aria-current={current(ALL)}>
            <Inbox size={16} aria-hidden="true" />
            <span className={styles.name}>{words.mail.all}</span>
            <Unread count={unread} />
          </Link>
        </li>
        {accounts.map((account) => (
          <li key={account.id}>
            <Link href={listAddress(account.id)} className={styles.mailbox} aria-current={current(account.id)}>
              <StateMark account={account} />
              <span className={styles.names}>
                <span className={styles.name}>{account.name}</span>
                <span className={styles.email} title={account.email}>
                  {stateOf(account) === "active" ? account.email : words.mail.states[stateOf(account)]}
                </span>
              </span>
              <Unread count={account.unread} />
            </Link>
            <Remedy account={account} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function Unread({ count }: { count: number }) {
  const words = useWords();
  const formats = useFormats();
  if (!count) return null;
  return (
    <span className={styles.badge}>
      <span aria-hidden="true">{formats.count(count)}</span>
      <span className="visually-hidden">, {words.mail.unread(formats.count(count))}</span>
    </span>
  );
}

function Remedy({ account }: { account: Account }) {
  const words = useWords();
  const remedy = remedyOf(words, account);
  if (!remedy) return null;
  return (
    <Link href={`/settings/${account.id}`} className={styles.remedy} aria-label={`${account.name}: ${remedy}`}>
      {remedy}
    </Link>
  );
}
