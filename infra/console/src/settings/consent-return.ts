/**
 * What the browser brings back from a sign-in at a provider: `/?oauth=connected|failed&account=...&code=...`.
 *
 * Anybody can write such an address. Account and code are looked up, and nothing of them is ever shown.
 */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useLocation } from "wouter";
import { accountsQuery } from "../api/accounts";

export interface ConsentOutcome {
  connected: boolean;
  /** One of the owner's accounts; null where it is none of them. */
  accountId: string | null;
  code: string;
}

const KEY = ["consent-outcome"];

/** Read once, at the start, and gone from the address: loading the page again tells nothing twice. */
let brought = takeFromAddress();

function takeFromAddress(): ConsentOutcome | null {
  const outcome = readOutcome(location.search);
  if (outcome) history.replaceState(null, "", location.pathname + location.hash);
  return outcome;
}

/** What a query brings; null where it brings nothing. */
export function readOutcome(search: string): ConsentOutcome | null {
  const query = new URLSearchParams(search);
  const result = query.get("oauth");
  if (result !== "connected" && result !== "failed") return null;
  return { connected: result === "connected", accountId: query.get("account"), code: query.get("code") ?? "" };
}

/** Goes to the account that a sign-in was for, once somebody is signed in here. */
export function useConsentReturn(): void {
  const cache = useQueryClient();
  const [, go] = useLocation();
  useEffect(() => {
    const outcome = brought;
    brought = null;
    if (!outcome) return;
    void cache.fetchQuery({ ...accountsQuery, staleTime: 0 }).then(
      (accounts) => {
        const account = accounts.find((one) => one.id === outcome.accountId);
        cache.setQueryData<ConsentOutcome>(KEY, { ...outcome, accountId: account?.id ?? null });
        go(account ? `/settings/${account.id}` : "/settings", { replace: true });
      },
      () => {
        cache.setQueryData<ConsentOutcome>(KEY, { ...outcome, accountId: null });
        go("/settings", { replace: true });
      },
    );
  }, [cache, go]);
}

export const consentOutcomeKey = KEY;
