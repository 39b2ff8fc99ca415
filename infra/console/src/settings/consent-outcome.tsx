/** What came of a sign-in at a provider, told on the page of the account that it was for. */
import { skipToken, useQuery, useQueryClient } from "@tanstack/react-query";
import { Button } from "../controls/button";
import { useWords } from "../language/language";
import { consentOutcomeKey, type ConsentOutcome as Outcome } from "./consent-return";
import { Box, Buttons } from "./layout";

export function ConsentOutcome({ accountId }: { accountId: string | null }) {
  const words = useWords();
  const cache = useQueryClient();
  const { data: outcome } = useQuery<Outcome | null>({
    queryKey: consentOutcomeKey,
    queryFn: skipToken,
    initialData: null,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
  });
  if (!outcome || outcome.accountId !== accountId) return null;
  const told = outcome.connected ? words.settings.connected : words.settings.notConnected;
  const known: Record<string, string | undefined> = told.codes;
  // The code comes from the address, where anybody can have written it.
  const text = Object.hasOwn(known, outcome.code) ? known[outcome.code] : told.other;
  const tone = outcome.connected ? (outcome.code ? "warn" : "good") : "bad";
  return (
    <Box tone={tone} title={told.heading} live>
      <p>{outcome.connected && !outcome.code ? words.settings.connected.well : text}</p>
      <Buttons>
        <Button onClick={() => cache.setQueryData(consentOutcomeKey, null)}>{words.common.dismiss}</Button>
      </Buttons>
    </Box>
  );
}
