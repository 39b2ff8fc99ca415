/** The owner's accounts: read once, kept fresh, changed by the settings. */
import { queryOptions, useQuery } from "@tanstack/react-query";
import { answered, api } from "./client";
import type { components } from "./schema";

export type Account = components["schemas"]["AccountOut"];

const FRESH_MS = 30_000;

export const accountsQuery = queryOptions({
  queryKey: ["accounts"],
  queryFn: async ({ signal }) => (await answered(api.GET("/accounts", { signal }))).accounts,
  refetchInterval: FRESH_MS,
});

/** The accounts in their owner's order. */
export function useAccounts() {
  return useQuery(accountsQuery);
}
