/** The owner's accounts: read once, kept fresh, changed by the settings. */
import { type QueryClient, queryOptions, useQuery } from "@tanstack/react-query";
import { answered, api } from "./client";
import type { components } from "./schema";

/** The cycle under way, as far as it has come. */
export interface Fetching {
  started_at: string;
  updated_at: string;
  listed: number;
  remaining: number;
  stored: number;
}

export type Account = components["schemas"]["AccountOut"] & {
  /** Messages that were fetched since the owner last looked at the account. */
  unread?: number;
  visited_at?: string | null;
  fetching?: Fetching | null;
};

const FRESH_MS = 30_000;

export const accountsQuery = queryOptions({
  queryKey: ["accounts"],
  queryFn: async ({ signal }): Promise<Account[]> => (await answered(api.GET("/accounts", { signal }))).accounts,
  refetchInterval: FRESH_MS,
});

/** The accounts in their owner's order. */
export function useAccounts() {
  return useQuery(accountsQuery);
}

/** One account as it is now. Throws ApiFailure. */
export async function readAccount(id: string, signal?: AbortSignal): Promise<Account> {
  const params = { path: { account_id: id } };
  return answered(api.GET("/accounts/{account_id}", signal ? { params, signal } : { params }));
}

/** Put an account that an answer brought in the place of the one that is shown. */
export function keepAccount(cache: QueryClient, account: Account): void {
  cache.setQueryData(accountsQuery.queryKey, (all) => all?.map((one) => (one.id === account.id ? account : one)));
}

/** Ask for a check for mail now; returns when it was asked for. Throws ApiFailure. */
export async function askForCheck(id: string): Promise<string> {
  const path = { account_id: id };
  return (await answered(api.POST("/accounts/{account_id}/fetch", { params: { path } }))).requested_at;
}
