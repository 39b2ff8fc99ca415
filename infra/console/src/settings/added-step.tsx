/** The last step: the account is there, and its first mail comes in while one looks on. */
import { useEffect, useRef } from "react";
import { useLocation } from "wouter";
import { type Account, useAccounts } from "../api/accounts";
import { useCheck } from "../checking/check";
import { CheckProgress } from "../checking/check-progress";
import { Button } from "../controls/button";
import { useFormats } from "../language/formats";
import { useWords } from "../language/language";
import { ConsentButton } from "./consent-section";
import { Box, Buttons, Section } from "./layout";
import { Standing } from "./standing";

export function AddedStep({ added, shortest }: { added: Account; shortest: number }) {
  const words = useWords();
  const formats = useFormats();
  const [, go] = useLocation();
  const accounts = useAccounts();
  const account = accounts.data?.find((one) => one.id === added.id) ?? added;
  const { check, checking, progress } = useCheck(account);
  const begun = useRef(false);
  const waitsForConsent = account.oauth !== null && !account.oauth.connected;
  // A provider that wants pauses between sign-ins has just seen one: another at once would look like a wrong password.
  const mayCheck = shortest <= 1 && !waitsForConsent;
  useEffect(() => {
    if (!mayCheck || begun.current) return;
    begun.current = true;
    check();
  }, [mayCheck, check]);
  const failed = Boolean(account.last_fetch?.error);
  const here = account.last_fetch !== null && !progress;
  const soon = shortest > 1 ? words.settings.added.later(formats.counted(shortest)) : words.settings.added.now;
  return (
    <Section title={account.name} opening={account.name === account.email ? undefined : account.email}>
      {waitsForConsent ? (
        <Box tone="warn" live>
          <p>{words.settings.added.consentWaits}</p>
          <ConsentButton account={account} kind="main" />
        </Box>
      ) : (
        <Box tone={failed ? "warn" : "good"} live>
          <p>{failed ? words.settings.added.failed : here ? words.settings.added.here : soon}</p>
        </Box>
      )}
      <CheckProgress name={account.name} checking={checking} progress={progress} />
      {account.last_fetch ? <Standing account={account} /> : null}
      <Buttons>
        <Button kind={waitsForConsent ? "plain" : "main"} onClick={() => go(`/mail/${account.id}`)}>
          {words.common.toMail}
        </Button>
        <Button onClick={() => go(`/settings/${account.id}`)}>{words.settings.added.toAccount}</Button>
        <Button kind="quiet" onClick={() => go("/settings")}>
          {words.settings.added.toAccounts}
        </Button>
      </Buttons>
    </Section>
  );
}
