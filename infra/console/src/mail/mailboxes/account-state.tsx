/** How an account does: a picture of its own for each state, in words beside it, and what its owner can do. */
import { CircleCheck, Hourglass, KeyRound, type LucideIcon, Pause, RefreshCw, Unplug } from "lucide-react";
import type { Account } from "../../api/accounts";
import { useWords } from "../../language/language";
import type { Words } from "../../language/words";
import styles from "./account-state.module.css";

type State = Account["status"] | "fetching";
type Trouble = "auth_failed" | "consent" | "connection_failed" | "paused" | "backing_off" | "outgoing";

const PICTURES: Record<State, LucideIcon> = {
  active: CircleCheck,
  backing_off: Hourglass,
  auth_failed: KeyRound,
  connection_failed: Unplug,
  paused: Pause,
  fetching: RefreshCw,
};

export function stateOf(account: Account): State {
  return account.fetching ? "fetching" : account.status;
}

/** What keeps mail from coming or going; null where nothing does. */
export function troubleOf(account: Account): Trouble | null {
  if (account.status === "auth_failed" && account.oauth && !account.oauth.connected) return "consent";
  if (account.status !== "active") return account.status;
  return account.outgoing_status === "auth_failed" ? "outgoing" : null;
}

/** What its owner can do about it; null where it heals by itself. */
export function remedyOf(words: Words, account: Account): string | null {
  const trouble = troubleOf(account);
  return trouble === null || trouble === "backing_off" ? null : words.mail.remedies[trouble];
}

/** The picture of a state; its words are said, and shown on hover. */
export function StateMark({ account }: { account: Account }) {
  const words = useWords();
  const state = stateOf(account);
  const Picture = PICTURES[state];
  return (
    <span className={`${styles.mark} ${styles[state]}`} title={words.mail.states[state]}>
      <Picture size={16} aria-hidden="true" />
      <span className="visually-hidden">{words.mail.states[state]}</span>
    </span>
  );
}
