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

/** One account as it is now. Throws ApiFailure. */
export async function readAccount(id: string, signal?: AbortSignal): Promise<Account> {
  const params = { path: { account_id: id } };
  return answered(api.GET("/accounts/{account_id}", signal ? { params, signal } : { params }));
}

/** Keep what an answer brought of an account in the place of what is shown. */
export function keepAccount(cache: QueryClient, known: Pick<Account, "id"> & Partial<Account>): void {
  cache.setQueryData(accountsQuery.queryKey, (all) =>
    all?.map((account) => (account.id === known.id ? { ...account, ...known } : account)),
  );
}

/** Ask for a check for mail now; returns when it was asked for. Throws ApiFailure. */
export async function askForCheck(id: string): Promise<string> {
  const path = { account_id: id };
  return (await answered(api.POST("/accounts/{account_id}/fetch", { params: { path } }))).requested_at;
}

type Schemas = components["schemas"];

export type Server = Schemas["ServerOut"];
export type Security = Schemas["Security"];
export type FetchSettings = Schemas["FetchOut"];
export type NewServer = Schemas["ServerIn"];
export type NewAccount = Schemas["AccountIn"];
export type ServerPatch = Schemas["ServerPatch"];
export type AccountPatch = Schemas["AccountPatch"];
export type Direction = "incoming" | "outgoing";

const of = (id: string) => ({ path: { account_id: id } });

/** Add an account: its sign-ins are tried first, unless `verify` is false. Throws ApiFailure. */
export async function addAccount(account: NewAccount): Promise<Account> {
  return answered(api.POST("/accounts", { body: account }));
}

/** Change what a patch names, if the account is still the version that was seen. Throws ApiFailure. */
export async function changeAccount({ id, version }: Account, patch: AccountPatch): Promise<Account> {
  const params = { ...of(id), header: { "if-match": `"${version}"` } };
  return answered(api.PATCH("/accounts/{account_id}", { params, body: patch }));
}

/** Delete an account; true while what it left is still being erased. Throws ApiFailure. */
export async function deleteAccount(id: string, mail: "keep" | "delete"): Promise<boolean> {
  const answer = await answered(api.DELETE("/accounts/{account_id}", { params: { ...of(id), query: { mail } } }));
  return Boolean(answer);
}

export async function pauseAccount(id: string): Promise<Account> {
  return answered(api.POST("/accounts/{account_id}/pause", { params: of(id) }));
}

export async function resumeAccount(id: string): Promise<Account> {
  return answered(api.POST("/accounts/{account_id}/resume", { params: of(id) }));
}

export async function orderAccounts(ids: string[]): Promise<Account[]> {
  return (await answered(api.PUT("/accounts/order", { body: { account_ids: ids } }))).accounts;
}

export async function chooseDefault(id: string): Promise<Account[]> {
  return (await answered(api.PUT("/accounts/default", { body: { account_id: id } }))).accounts;
}

/** Try a new password at one of the servers, and keep it if it works. Throws ApiFailure. */
export async function changePassword(id: string, direction: Direction, password: string): Promise<Account> {
  const given = { params: of(id), body: { password, verify: true } };
  return direction === "incoming"
    ? answered(api.PUT("/accounts/{account_id}/password/incoming", given))
    : answered(api.PUT("/accounts/{account_id}/password/outgoing", given));
}

/** Ask an address whether it wants the replies. Throws ApiFailure. */
export async function askReplyTo(id: string, address: string): Promise<Account> {
  return answered(api.PUT("/accounts/{account_id}/reply-to", { params: of(id), body: { address } }));
}

export async function removeReplyTo(id: string): Promise<void> {
  await answered(api.DELETE("/accounts/{account_id}/reply-to", { params: of(id) }));
}

/** The owner has seen the account's mail: nothing in it is unread any more. Throws ApiFailure. */
export async function visitAccount(id: string) {
  return answered(api.PUT("/accounts/{account_id}/visit", { params: of(id) }));
}
