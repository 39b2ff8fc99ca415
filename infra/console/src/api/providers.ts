/** The providers that are known, and the settings that are found for an address. */
import { useQuery } from "@tanstack/react-query";
import { answered, api } from "./client";
import type { components } from "./schema";

export type Provider = components["schemas"]["ProviderOut"];
export type FoundSettings = components["schemas"]["FoundSettingsOut"];
export type FoundServer = components["schemas"]["FoundServerOut"];

/** The settings of an address, told in a language; that nothing was found is an answer too. Throws ApiFailure. */
export async function lookUp(email: string, language: string): Promise<FoundSettings> {
  const params = { query: { email } };
  return answered(api.GET("/providers/lookup", { params, headers: { "Accept-Language": language } }));
}

/** All providers that are known, with their help told in a language. */
export function useProviders(language: string) {
  return useQuery({
    queryKey: ["providers", language],
    queryFn: async ({ signal }) =>
      (await answered(api.GET("/providers", { headers: { "Accept-Language": language }, signal }))).providers,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** The provider whose incoming server a host is. */
export function providerOf(host: string, providers: Provider[] | undefined): Provider | null {
  const name = host.toLowerCase().replace(/\.$/, "");
  return providers?.find((one) => one.incoming?.host === name) ?? null;
}
