/** The owner's accounts: read once, kept fresh, changed by the settings. */
import { type QueryClient, queryOptions, useQuery } from "@tanstack/react-query";
import { answered, api } from "./client";
import type { components } from "./schema";

export type Account = components["schemas"]["AccountOut"];

const FRESH_MS = 30_000;
const FRESH_WHILE_FETCHING_MS = 4_000;

export const accountsQuery = queryOptions({
  queryKey: ["accounts"],
  queryFn: async ({ signal }) => (await answered(api.GET("/accounts", { signal }))).accounts,
  refetchInterval: (query) =>
    query.state.data?.some((account) => account.fetching) ? FRESH_WHILE_FETCHING_MS : FRESH_MS,
});

/** The accounts in their owner's order. */
export function useAccounts() {
  return useQuery(accountsQuery);
}

/** One account as it is now. */
export async function readAccount(accountId: string, signal?: AbortSignal): Promise<Account> {
  const params = { path: { account_id: accountId } };
  return answered(api.GET("/accounts/{account_id}", { params, ...(signal && { signal }) }));
}

/** Keep what is known anew of one account among the others. */
export function keepAccount(cache: QueryClient, accountId: string, known: Partial<Account>): void {
  cache.setQueryData(accountsQuery.queryKey, (all) =>
    all?.map((account) => (account.id === accountId ? { ...account, ...known } : account)),
  );
}

/** Ask for a check for mail; it is done once `last_fetch.at` is later than the instant that this gives. */
export async function checkNow(accountId: string): Promise<string> {
  const params = { path: { account_id: accountId } };
  return (await answered(api.POST("/accounts/{account_id}/fetch", { params }))).requested_at;
}

/** The owner has seen the account's mail: nothing in it is unread any more. */
export async function visitAccount(accountId: string) {
  const params = { path: { account_id: accountId } };
  return answered(api.PUT("/accounts/{account_id}/visit", { params }));
}
