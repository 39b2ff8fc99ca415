/** Checking an account for mail now, and watching how far it has come; wherever it is shown, it is the same check. */
import { type QueryClient, queryOptions, skipToken, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect } from "react";
import { type Account, askForCheck, keepAccount, readAccount } from "../api/accounts";
import { useNotices } from "../controls/notices";
import { useFormats } from "../language/formats";
import { toldCode, useWords } from "../language/language";
import { isAnswered, type Progress, progressOf } from "./progress";

const LOOK_EVERY_MS = 1_500;
/** How long a check waits behind others before it is left to itself. */
const PATIENCE_MS = 300_000;

interface Asked {
  /** By the server's clock; null until it has said so. */
  requestedAt: string | null;
}

export interface Check {
  /** Ask for a check; it is told how it ended. */
  check: () => void;
  /** True from asking until a cycle has answered. */
  checking: boolean;
  /** How far collecting has come, asked for here or not; null while nothing is known. */
  progress: Progress | null;
}

/** The check of an account. */
export function useCheck(account: Account): Check {
  const { id } = account;
  const cache = useQueryClient();
  const words = useWords();
  const formats = useFormats();
  const { tell, tellFailure } = useNotices();
  const asked = useQuery(askedQuery(id)).data;
  const progress = progressOf(account);

  const check = useCallback(() => {
    if (askedOf(cache, id)) return;
    setAsked(cache, id, { requestedAt: null });
    askForCheck(id).then(
      (requestedAt) => setAsked(cache, id, { requestedAt }),
      (failure) => {
        setAsked(cache, id, null);
        tellFailure(failure);
      },
    );
  }, [cache, id, tellFailure]);

  useQuery({
    queryKey: ["account", id],
    queryFn: async ({ signal }) => {
      const now = await readAccount(id, signal);
      keepAccount(cache, now);
      return now;
    },
    enabled: Boolean(asked?.requestedAt) || progress !== null,
    refetchInterval: LOOK_EVERY_MS,
    staleTime: 0,
    gcTime: 0,
  });

  useEffect(() => {
    // Of all that show this check, the first to see its end tells it.
    const pending = askedOf(cache, id);
    if (!asked || !pending?.requestedAt || !isAnswered(account, pending.requestedAt)) return;
    setAsked(cache, id, null);
    const { error, stored, remaining } = account.last_fetch ?? { error: null, stored: 0, remaining: 0 };
    if (error) tell(words.checking.failed(account.name, toldCode(words, error.code, error.message)), "bad");
    else if (remaining > 0) {
      tell(words.checking.moreToCome(account.name, formats.counted(stored), formats.counted(remaining)), "good");
    } else tell(words.checking.done(account.name, formats.counted(stored)), "good");
  }, [account, asked, cache, id, tell, words, formats]);

  const idle = asked !== null && progress === null;
  useEffect(() => {
    if (!idle) return;
    const leave = window.setTimeout(() => {
      if (!askedOf(cache, id)) return;
      setAsked(cache, id, null);
      tell(words.checking.takesLong(account.name));
    }, PATIENCE_MS);
    return () => window.clearTimeout(leave);
  }, [idle, account.name, cache, id, tell, words]);

  return { check, checking: Boolean(asked), progress };
}

function askedQuery(id: string) {
  return queryOptions({
    queryKey: ["check", id],
    queryFn: skipToken,
    initialData: null as Asked | null,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
  });
}

function askedOf(cache: QueryClient, id: string): Asked | null {
  return cache.getQueryData(askedQuery(id).queryKey) ?? null;
}

function setAsked(cache: QueryClient, id: string, asked: Asked | null): void {
  cache.setQueryData(askedQuery(id).queryKey, asked);
}
