/**
 * Visits: what came since the last one is marked as new for as long as this one lasts.
 *
 * Opening an account's list visits the account. "All mail" visits none: it marks what is new in each account, and
 * leaves it new there, so that looking over everything does not empty the accounts' own counts.
 */
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { type Account, keepAccount, visitAccount } from "../../api/accounts";
import type { MessageName, Scope, Summary } from "../../api/messages";

interface Visit {
  scope: Scope;
  /** When each account was visited before; null where never. */
  before: ReadonlyMap<string, string | null>;
  /** What was opened during this visit. */
  opened: ReadonlySet<string>;
}

export interface Visiting {
  isNew: (message: Summary) => boolean;
  opened: (name: MessageName) => void;
}

export function useVisit(scope: Scope, accounts: readonly Account[], listIsShown: boolean): Visiting {
  const cache = useQueryClient();
  const [visit, setVisit] = useState<Visit>(() => visitOf(scope, accounts));
  if (visit.scope !== scope) setVisit(visitOf(scope, accounts));

  const account = accounts.find(({ id }) => id === scope);
  // A number, so that more of it is seen again.
  const unseen = account ? account.unread || Number(account.visited_at === null) : 0;
  const isVisiting = useRef(false);
  useEffect(() => {
    if (!listIsShown || !unseen) return;
    const see = () => {
      if (document.visibilityState !== "visible" || isVisiting.current) return;
      isVisiting.current = true;
      visitAccount(scope)
        .then((known) => keepAccount(cache, { id: scope, ...known }))
        // The badge stays, and the next look at the account tries it again.
        .catch(() => undefined)
        .finally(() => {
          isVisiting.current = false;
        });
    };
    see();
    document.addEventListener("visibilitychange", see);
    return () => document.removeEventListener("visibilitychange", see);
  }, [cache, scope, unseen, listIsShown]);

  const isNew = useCallback(
    (message: Summary) => {
      const { before, opened } = visit;
      if (message.delivery || opened.has(message.id) || !before.has(message.account_id)) return false;
      const last = before.get(message.account_id);
      return !last || Date.parse(message.stored_at) > Date.parse(last);
    },
    [visit],
  );
  const opened = useCallback(
    ({ messageId }: MessageName) =>
      setVisit((now) => (now.opened.has(messageId) ? now : { ...now, opened: new Set(now.opened).add(messageId) })),
    [],
  );
  return { isNew, opened };
}

function visitOf(scope: Scope, accounts: readonly Account[]): Visit {
  return { scope, before: new Map(accounts.map(({ id, visited_at }) => [id, visited_at])), opened: new Set() };
}
