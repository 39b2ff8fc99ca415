/** Checks for mail that were asked for here: followed until they are done, then told. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from "react";
import { type Account, askForCheck, keepAccount, readAccount } from "../../api/accounts";
import { useNotices } from "../../controls/notices";
import { useFormats } from "../../language/formats";
import { toldCode, useWords } from "../../language/language";
import type { Words } from "../../language/words";

const LOOK_MS = 1_500;
const LONGEST_MS = 5 * 60_000;

interface Check {
  accountId: string;
  /** Null as long as the API has not taken the request. */
  requestedAt: string | null;
  begun: number;
}

interface Checks {
  isChecking: (accountId: string) => boolean;
  check: (account: Account) => Promise<void>;
}

const Context = createContext<Checks | null>(null);

export function ChecksProvider({ children }: { children: ReactNode }) {
  const [checks, setChecks] = useState<Check[]>([]);
  const { tellFailure } = useNotices();
  const end = useCallback(
    (accountId: string) => setChecks((all) => all.filter((check) => check.accountId !== accountId)),
    [],
  );
  const check = useCallback(
    async ({ id: accountId }: Account) => {
      const begun = Date.now();
      const known = (requestedAt: string | null) => (all: Check[]) => [
        ...all.filter((one) => one.accountId !== accountId),
        { accountId, requestedAt, begun },
      ];
      setChecks(known(null));
      try {
        setChecks(known(await askForCheck(accountId)));
      } catch (failure) {
        end(accountId);
        tellFailure(failure);
      }
    },
    [end, tellFailure],
  );
  const value = useMemo(
    () => ({ check, isChecking: (accountId: string) => checks.some((one) => one.accountId === accountId) }),
    [check, checks],
  );
  return (
    <Context value={value}>
      {children}
      {checks.map(({ accountId, requestedAt, begun }) =>
        requestedAt ? (
          <Followed key={`${accountId} ${begun}`} accountId={accountId} since={requestedAt} begun={begun} onEnd={end} />
        ) : null,
      )}
    </Context>
  );
}

export function useChecks(): Checks {
  const checks = useContext(Context);
  if (!checks) throw new Error("There is no ChecksProvider around this.");
  return checks;
}

interface FollowedProps {
  accountId: string;
  since: string;
  begun: number;
  onEnd: (accountId: string) => void;
}

/** Looks at the account until its check is done; shows nothing. */
function Followed({ accountId, since, begun, onEnd }: FollowedProps) {
  const words = useWords();
  const formats = useFormats();
  const cache = useQueryClient();
  const { tell } = useNotices();
  const told = useRef(false);
  const { data: account, dataUpdatedAt } = useQuery({
    queryKey: ["accounts", accountId, "check", since],
    queryFn: ({ signal }) => readAccount(accountId, signal),
    refetchInterval: LOOK_MS,
    staleTime: 0,
    gcTime: 0,
  });
  useEffect(() => {
    if (!account || told.current) return;
    keepAccount(cache, account);
    const done = account.last_fetch && Date.parse(account.last_fetch.at) > Date.parse(since);
    if (!done && dataUpdatedAt - begun < LONGEST_MS) return;
    told.current = true;
    const [text, tone] = done ? outcome(words, formats.count, account) : [words.mail.checked.slow(account.name)];
    tell(text, tone ?? "plain");
    onEnd(accountId);
  }, [account, dataUpdatedAt, accountId, begun, since, cache, tell, onEnd, words, formats]);
  return null;
}

function outcome(
  words: Words,
  count: (number: number) => string,
  account: Account,
): [string, "good" | "bad" | "plain"] {
  const told = words.mail.checked;
  const { name, last_fetch: last } = account;
  if (!last) return [told.nothing(name), "plain"];
  if (last.outcome === "failed") {
    return [told.failed(name, last.error ? toldCode(words, last.error.code, last.error.message) : ""), "bad"];
  }
  if (last.remaining) return [told.waiting(name, count(last.stored), count(last.remaining)), "good"];
  if (last.stored === 1) return [told.one(name), "good"];
  return last.stored ? [told.some(name, count(last.stored)), "good"] : [told.nothing(name), "plain"];
}
