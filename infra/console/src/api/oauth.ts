/** Signing in to a mailbox at its provider: who gives access, asking for it, and giving it back. */
import { useQuery } from "@tanstack/react-query";
import type { Account } from "./accounts";
import { answered, api } from "./client";
import type { components } from "./schema";

export type AuthorizationServer = components["schemas"]["AuthorizationServerOut"];
export type DeviceConsent = components["schemas"]["DeviceConsentOut"];
export type Connected = components["schemas"]["ConnectedOut"];

const FRESH_MS = 300_000;
const of = (id: string) => ({ path: { account_id: id } });

/** Who gives access to mailboxes, and whether popfetch is registered there. */
export function useAuthorizationServers() {
  return useQuery({
    queryKey: ["authorization-servers"],
    queryFn: async ({ signal }) => (await answered(api.GET("/oauth/providers", { signal }))).providers,
    staleTime: FRESH_MS,
  });
}

/** Who gives the tokens for a mail server. */
export function authorizationServerOf(host: string, known: AuthorizationServer[] | undefined) {
  return known?.find((one) => one.hosts.includes(host.toLowerCase())) ?? null;
}

/** Where the owner consents in this browser. Throws ApiFailure. */
export async function askForConsent(id: string): Promise<string> {
  const asked = await answered(
    api.POST("/accounts/{account_id}/oauth/start", { params: of(id), body: { flow: "code" } }),
  );
  if (asked.flow !== "code") throw new Error("Another flow was asked for.");
  return asked.authorization_url;
}

/** The code by which the owner consents in any browser. Throws ApiFailure. */
export async function askForDeviceConsent(id: string): Promise<DeviceConsent> {
  const asked = await answered(
    api.POST("/accounts/{account_id}/oauth/start", { params: of(id), body: { flow: "device" } }),
  );
  if (asked.flow !== "device") throw new Error("Another flow was asked for.");
  return asked;
}

/** Whether the code was entered: the account that is open then, or the seconds after which to ask again. */
export async function lookAtDeviceConsent(id: string, flowId: string): Promise<Connected | number> {
  const answer = await answered(
    api.POST("/accounts/{account_id}/oauth/device", { params: of(id), body: { device_flow_id: flowId } }),
  );
  return "pending" in answer ? answer.interval_seconds : answer;
}

/** Give the consent back. Throws ApiFailure. */
export async function giveConsentBack(id: string): Promise<Account> {
  return answered(api.DELETE("/accounts/{account_id}/oauth", { params: of(id) }));
}
