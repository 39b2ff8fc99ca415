/** What is done to accounts as a whole: order and default are shown at once, and put back where the API refuses. */
import { type QueryClient, useMutation, useQueryClient } from "@tanstack/react-query";
import {
  type Account,
  accountsQuery,
  chooseDefault,
  keepAccount,
  orderAccounts,
  pauseAccount,
  resumeAccount,
} from "../api/accounts";
import { useNotices } from "../controls/notices";

/** They go one after the other, so that the last one stands. */
const SCOPE = { id: "accounts" };
const MUTATION = ["accounts"];

function useShownAtOnce<Given>(show: (all: Account[], given: Given) => Account[], send: Send<Given>) {
  const cache = useQueryClient();
  const { tellFailure } = useNotices();
  const { queryKey } = accountsQuery;
  return useMutation({
    scope: SCOPE,
    mutationKey: MUTATION,
    mutationFn: send,
    onMutate: async (given: Given) => {
      await cache.cancelQueries({ queryKey });
      const before = cache.getQueryData(queryKey);
      cache.setQueryData(queryKey, (all) => all && show(all, given), asOf(cache));
      return before;
    },
    onSuccess: (all) => {
      // While more of them wait, what they have shown stays.
      if (cache.isMutating({ mutationKey: MUTATION }) === 1) cache.setQueryData(queryKey, all);
    },
    onError: (failure, _, before) => {
      cache.setQueryData(queryKey, before, asOf(cache));
      tellFailure(failure);
      void cache.invalidateQueries({ queryKey });
    },
  }).mutate;
}

/** What is shown at once was not read, so that what is shown is no newer by it. */
function asOf(cache: QueryClient) {
  return { updatedAt: cache.getQueryState(accountsQuery.queryKey)?.dataUpdatedAt };
}

type Send<Given> = (given: Given) => Promise<Account[]>;

/** Give the accounts an order. */
export function useOrderAccounts() {
  return useShownAtOnce((all, ids: string[]) => inOrder(all, ids), orderAccounts);
}

/** Make an account the default one. */
export function useChooseDefault() {
  return useShownAtOnce(
    (all, id: string) => all.map((one) => ({ ...one, is_default: one.id === id })),
    (id: string) => chooseDefault(id),
  );
}

/** The accounts in an order; those that it does not name come last. */
export function inOrder(all: Account[], ids: string[]): Account[] {
  const known = new Map(all.map((one) => [one.id, one]));
  const named = ids.flatMap((id) => known.get(id) ?? []);
  return [...named, ...all.filter((one) => !ids.includes(one.id))];
}

/** Pause an account, or set it going again. */
export function usePause(account: Account) {
  const cache = useQueryClient();
  const { tellFailure } = useNotices();
  const { mutate, isPending } = useMutation({
    mutationFn: (pause: boolean) => (pause ? pauseAccount(account.id) : resumeAccount(account.id)),
    onSuccess: (changed) => keepAccount(cache, changed),
    onError: tellFailure,
  });
  return { pause: () => mutate(true), resume: () => mutate(false), busy: isPending };
}
