/** The mail: the mailboxes, the messages of one, and beside them the one that is read or written. */
import { useQueryClient } from "@tanstack/react-query";
import { PanelLeft, RefreshCw, SquarePen } from "lucide-react";
import { lazy, type ReactNode, Suspense, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Link, useLocation } from "wouter";
import { type Account, accountsQuery, useAccounts } from "../api/accounts";
import { ALL, type MessageName, type Scope, type Search, type Sent } from "../api/messages";
import { useCheck } from "../checking/check";
import { IconButton } from "../controls/button";
import { useNotices } from "../controls/notices";
import { Empty, Failed, Loading } from "../controls/states";
import { Freshness } from "../freshness/freshness";
import { useFormats } from "../language/formats";
import { useWords } from "../language/language";
import { useHashQuery } from "../shell/hash-route";
import { MessageList } from "./list/message-list";
import { type Reading, useReading } from "./list/reading";
import { SearchBox } from "./list/search-box";
import { useVisit } from "./list/visit";
import styles from "./mail.module.css";
import { Collecting, LastChecked, Trouble } from "./mailboxes/account-bar";
import { Drawer } from "./mailboxes/drawer";
import { Mailboxes } from "./mailboxes/mailboxes";
import { MessageView } from "./message/message-view";
import { addressOf, type Beside, isNarrowed, type MailRoute, NEW_MAIL, NO_SEARCH, routeOf } from "./route";

// Whoever only reads never loads what writes.
const Compose = lazy(() => import("./compose/compose"));

const NOTHING: Beside = { kind: "nothing" };

export default function MailPage() {
  const words = useWords();
  const { data: accounts, error, refetch } = useAccounts();
  if (!accounts) {
    return (
      <main tabIndex={-1} className={styles.alone}>
        {error ? <Failed failure={error} onRetry={() => void refetch()} /> : <Loading />}
      </main>
    );
  }
  if (!accounts.length) {
    return (
      <main tabIndex={-1} className={styles.alone}>
        <h1 className="visually-hidden">{words.common.mail}</h1>
        <Empty title={words.mail.welcome}>
          <p className={styles.opening}>{words.mail.welcomeText}</p>
          <Link href="/settings/new" className={styles.add}>
            {words.mail.addMailbox}
          </Link>
        </Empty>
      </main>
    );
  }
  return <Mail accounts={accounts} />;
}

function Mail({ accounts }: { accounts: readonly Account[] }) {
  const words = useWords();
  const formats = useFormats();
  const cache = useQueryClient();
  const { tell } = useNotices();
  const [path, go] = useLocation();
  const query = useHashQuery();
  const route = useMemo(() => routeOf(path, query), [path, query]);
  const scope: Scope = route.scope ?? accounts.find(({ is_default }) => is_default)?.id ?? ALL;
  const { search, beside } = route;
  const account = accounts.find(({ id }) => id === scope);
  const name = scope === ALL ? words.mail.all : (account?.name ?? "");

  const to = useCallback(
    (changed: Partial<MailRoute>) => addressOf({ scope, search, beside: NOTHING, ...changed }),
    [scope, search],
  );

  // Whatever changes when there may be something new in this list.
  const watched = account ? [account] : accounts;
  const signal = watched.map(({ last_fetch, fetching }) => `${last_fetch?.at} ${fetching?.stored}`);
  const reading = useReading(scope, search, signal.join());
  const visiting = useVisit(scope, accounts, !reading.isLoading && reading.failure === null);

  const openId = openIn(beside);
  const { opened } = visiting;
  useEffect(() => {
    if (beside.kind === "message") opened(beside.name);
  }, [beside, opened]);

  // Whoever comes back to the list, by whatever way, finds the focus where they left.
  const [focusId, setFocusId] = useState<string | null>(null);
  const before = useRef({ beside, openId });
  useEffect(() => {
    const left = before.current;
    before.current = { beside, openId };
    if (beside.kind !== "nothing" || left.beside.kind === "nothing") return;
    if (left.openId !== null) setFocusId(left.openId);
    else document.querySelector("main")?.focus({ preventScroll: true });
  }, [beside, openId]);
  const toList = useCallback(() => go(to({})), [go, to]);

  const unread = accounts.reduce((sum, one) => sum + one.unread, 0);
  useTitle([unread ? `(${formats.count(unread)}) ${name}` : name, words.common.product].join(" · "));

  const [hasDrawer, setDrawer] = useState(false);
  const closeDrawer = useCallback(() => setDrawer(false), []);

  const accountNames = useMemo(
    () => (scope === ALL && accounts.length > 1 ? new Map(accounts.map(({ id, name }) => [id, name])) : null),
    [scope, accounts],
  );
  const messageAddress = useCallback((name: MessageName) => to({ beside: { kind: "message", name } }), [to]);
  const shown = useRef<Beside | null>(beside);
  useEffect(() => {
    shown.current = beside;
    return () => {
      shown.current = null;
    };
  }, [beside]);

  const sent = (mail: Sent, accountId: string) => {
    void cache.invalidateQueries(accountsQuery);
    reading.refresh().catch(() => undefined);
    const wentWell = mail.status === "sent" && !mail.refused.length;
    if (wentWell) {
      const [only] = mail.accepted;
      const told = mail.accepted.length === 1 && only;
      tell(told ? words.mail.sentToOne(only) : words.mail.sentTo(formats.counted(mail.accepted.length)), "good");
    } else tell(mail.status === "sent" ? words.mail.sentPartly : words.mail.sentUnconfirmed, "bad");
    // Whoever has gone elsewhere meanwhile stays there.
    if (JSON.stringify(shown.current) !== JSON.stringify(beside)) return;
    if (!wentWell) go(to({ beside: { kind: "message", name: { accountId, messageId: mail.id } } }));
    else go(afterCompose);
  };
  const answered = beside.kind === "compose" ? beside.answering : null;
  const afterCompose = to({ beside: answered ? { kind: "message", name: answered.name } : NOTHING });

  return (
    <div className={styles.page} data-beside={beside.kind}>
      <nav className={styles.mailboxes} aria-label={words.mail.mailboxes}>
        <Mailboxes accounts={accounts} scope={scope} />
      </nav>
      {hasDrawer ? (
        <Drawer label={words.mail.mailboxes} place={path} onClose={closeDrawer}>
          <Mailboxes accounts={accounts} scope={scope} />
        </Drawer>
      ) : null}
      <main tabIndex={-1} className={styles.main}>
        <h1 className="visually-hidden">{`${words.common.mail}: ${name}`}</h1>
        <section className={styles.list} aria-label={words.mail.list(name)}>
          <Freshness />
          <header className={styles.listHeader}>
            <span className={styles.narrowOnly}>
              <IconButton label={words.mail.showMailboxes} aria-expanded={hasDrawer} onClick={() => setDrawer(true)}>
                <PanelLeft size={20} aria-hidden="true" />
              </IconButton>
            </span>
            <div className={styles.listTitle}>
              <h2 className={styles.listName}>{name}</h2>
              {account ? (
                <p className={styles.checked}>
                  <LastChecked account={account} />
                </p>
              ) : null}
            </div>
            <span className={styles.narrowOnly}>
              <IconButton label={words.mail.write} onClick={() => go(to({ beside: NEW_MAIL }))}>
                <SquarePen size={20} aria-hidden="true" />
              </IconButton>
            </span>
            {account ? <CheckButton account={account} /> : <RefreshButton reading={reading} />}
          </header>
          {account ? <Collecting account={account} /> : null}
          <SearchBox
            search={search}
            onSearch={(next: Search) =>
              go(addressOf({ scope, search: next, beside }), { replace: isNarrowed(search) && isNarrowed(next) })
            }
          />
          {account ? <Trouble account={account} /> : null}
          <div className={styles.rows}>
            {scope !== ALL && !account ? (
              <Empty title={words.mail.noSuchMailbox}>
                <Link href={addressOf({ scope: ALL, search: NO_SEARCH, beside: NOTHING })}>{words.mail.all}</Link>
              </Empty>
            ) : (
              <Rows reading={reading} search={search} isImporting={watched.some(({ fetching }) => fetching)}>
                <MessageList
                  key={`${scope} ${JSON.stringify(search)}`}
                  reading={reading}
                  label={words.mail.list(name)}
                  openId={openId}
                  addressOf={messageAddress}
                  isNew={visiting.isNew}
                  accountNames={accountNames}
                  focusId={focusId}
                  onFocused={() => setFocusId(null)}
                  isSearch={isNarrowed(search)}
                />
              </Rows>
            )}
          </div>
        </section>
        <div className={styles.beside}>
          <BesideList
            beside={beside}
            accounts={accounts}
            scope={scope}
            reading={reading}
            messageAddress={messageAddress}
            afterCompose={afterCompose}
            onBack={toList}
            onSent={sent}
            to={to}
          />
        </div>
      </main>
    </div>
  );
}

/** The message that is read, or answered. */
function openIn(beside: Beside): string | null {
  if (beside.kind === "message") return beside.name.messageId;
  return beside.kind === "compose" ? (beside.answering?.name.messageId ?? null) : null;
}

function useTitle(title: string): void {
  useEffect(() => {
    const before = document.title;
    document.title = title;
    return () => {
      document.title = before;
    };
  }, [title]);
}

/** Asks an account's server for new mail; what comes is seen in the list by itself. */
function CheckButton({ account }: { account: Account }) {
  const words = useWords();
  const { check, checking, progress } = useCheck(account);
  const isUnderWay = checking || progress !== null;
  return (
    <IconButton
      label={isUnderWay ? words.checking.checkingOf(account.name) : words.mail.checkNow}
      busy={isUnderWay}
      onClick={check}
    >
      <RefreshCw size={20} aria-hidden="true" className={isUnderWay ? styles.turning : undefined} />
    </IconButton>
  );
}

/** Reads the list of all mail anew. */
function RefreshButton({ reading }: { reading: Reading }) {
  const words = useWords();
  const { tell, tellFailure } = useNotices();
  const [isBusy, setBusy] = useState(false);
  const refresh = async () => {
    setBusy(true);
    try {
      await reading.refresh();
      tell(words.mail.refreshed);
    } catch (failure) {
      tellFailure(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <IconButton label={words.mail.refresh} busy={isBusy} onClick={() => void refresh()}>
      <RefreshCw size={20} aria-hidden="true" className={isBusy ? styles.turning : undefined} />
    </IconButton>
  );
}

interface RowsProps {
  reading: Reading;
  search: Search;
  isImporting: boolean;
  children: ReactNode;
}

/** The list, or what stands in its place. */
function Rows({ reading, search, isImporting, children }: RowsProps) {
  const words = useWords();
  if (reading.isLoading) return <Loading />;
  if (reading.failure) return <Failed failure={reading.failure} onRetry={reading.retry} />;
  if (reading.rows.length || reading.hasMore) return children;
  if (isNarrowed(search)) {
    return (
      <Empty title={words.mail.foundNothing}>
        <p role="status">{words.mail.foundNothingText}</p>
      </Empty>
    );
  }
  return (
    <Empty title={words.mail.empty}>
      <p role="status">{isImporting ? words.mail.firstImport : words.mail.emptyText}</p>
    </Empty>
  );
}

interface BesideProps {
  beside: Beside;
  accounts: readonly Account[];
  scope: Scope;
  reading: Reading;
  messageAddress: (name: MessageName) => string;
  afterCompose: string;
  onBack: () => void;
  onSent: (sent: Sent, accountId: string) => void;
  to: (changed: Partial<MailRoute>) => string;
}

function BesideList(props: BesideProps) {
  const { beside, accounts, scope, reading, messageAddress, to } = props;
  const words = useWords();
  const [, go] = useLocation();
  if (beside.kind === "nothing") {
    return (
      <Empty title={words.mail.nothingOpen}>
        <p>{words.mail.nothingOpenText}</p>
      </Empty>
    );
  }
  if (beside.kind === "compose") {
    return (
      <Suspense fallback={<Loading />}>
        <Compose
          answering={beside.answering}
          accounts={accounts}
          accountId={scope}
          to={beside.to}
          onClose={() => go(props.afterCompose)}
          onSent={props.onSent}
        />
      </Suspense>
    );
  }
  const { rows } = reading;
  const { name } = beside;
  const at = rows.findIndex(({ id }) => id === name.messageId);
  const addressAt = (index: number) => {
    const message = at < 0 ? undefined : rows[index];
    return message ? messageAddress({ accountId: message.account_id, messageId: message.id }) : null;
  };
  return (
    <MessageView
      name={name}
      accountName={accounts.find(({ id }) => id === name.accountId)?.name ?? ""}
      newer={addressAt(at - 1)}
      older={addressAt(at + 1)}
      onBack={props.onBack}
      onAnswer={(how) => go(to({ beside: { ...NEW_MAIL, answering: { how, name } } }))}
      onWriteTo={(linked) => go(to({ beside: { ...NEW_MAIL, to: linked } }))}
    />
  );
}
