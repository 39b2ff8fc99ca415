/** How far collecting has come, by what the account says of it. */
import type { Account } from "../api/accounts";

export interface Progress {
  /** Messages that are settled, and how many there are. */
  done: number;
  total: number;
}

/**
 * The progress of the cycle under way; null before anything is known.
 *
 * While a backlog is taken, cycle after cycle, it is that of the whole mailbox; else that of what this cycle found new.
 */
export function progressOf(account: Account): Progress | null {
  const { fetching, last_fetch: last } = account;
  if (!fetching) return null;
  const backlog = last === null || last.remaining > 0;
  return backlog
    ? { done: Math.max(0, fetching.listed - fetching.remaining), total: fetching.listed }
    : { done: fetching.stored, total: fetching.stored + fetching.remaining };
}

/**
 * Whether a check that was asked for at an instant (of the server's clock) is done.
 *
 * A cycle that was under way then has perhaps listed the mailbox before; one that began no earlier answers the check,
 * as the server drops a request that such a cycle has overtaken.
 */
export function isAnswered({ last_fetch: last }: Account, requestedAt: string): boolean {
  return last !== null && Date.parse(last.started_at) >= Date.parse(requestedAt);
}
