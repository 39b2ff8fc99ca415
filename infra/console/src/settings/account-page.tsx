/** One account: what troubles it first, then its settings, its ways in, where replies go, its history, and its end. */
import { RefreshCw } from "lucide-react";
import { useState } from "react";
import { Link } from "wouter";
import { type Account, useAccounts } from "../api/accounts";
import { useCheck } from "../checking/check";
import { CheckProgress } from "../checking/check-progress";
import { Button } from "../controls/button";
import { Empty, Failed, Loading } from "../controls/states";
import { useWords } from "../language/language";
import { usePause } from "./account-verbs";
import { ConsentOutcome } from "./consent-outcome";
import { ConsentSection } from "./consent-section";
import { DeleteSection } from "./delete-section";
import { HistorySection } from "./history-section";
import { Box, Buttons, Page, Section } from "./layout";
import { PasswordForm } from "./password-form";
import { ReplyToSection } from "./reply-to-section";
import { SettingsForm } from "./settings-form";
import { Standing } from "./standing";
import { type Trouble, troublesOf } from "./trouble";
import { TroubleBanner } from "./trouble-banner";

export function AccountPage({ id }: { id: string }) {
  const words = useWords();
  const accounts = useAccounts();
  const account = accounts.data?.find((one) => one.id === id);
  if (account) return <FoundAccount account={account} />;
  return (
    <Page title={words.settings.account} back>
      {accounts.isPending ? <Loading /> : null}
      {accounts.isLoadingError ? <Failed failure={accounts.error} onRetry={() => void accounts.refetch()} /> : null}
      {accounts.data ? (
        <Empty title={words.settings.noSuchAccount}>
          <Link href="/settings">{words.settings.title}</Link>
        </Empty>
      ) : null}
    </Page>
  );
}

function FoundAccount({ account }: { account: Account }) {
  const words = useWords();
  const { check, checking, progress } = useCheck(account);
  const { pause, resume, busy } = usePause(account);
  const paused = account.status === "paused";
  const troubles = troublesOf(account);
  // A remedy may be called for once: what stays here is what its owner came for.
  const [wantedField, setWantedField] = useState<string | null>(null);
  return (
    <Page title={account.name} opening={account.name === account.email ? undefined : account.email} back>
      <ConsentOutcome accountId={account.id} />
      {troubles.map((trouble, index) => (
        <TroubleBanner
          key={trouble.kind}
          account={account}
          trouble={trouble}
          first={index === 0}
          check={check}
          checking={checking}
          onSettings={() => setWantedField(`${trouble.direction}.host`)}
        />
      ))}
      {paused ? (
        <Box tone="plain" title={words.settings.pausedTitle}>
          <p>{words.settings.paused}</p>
          <Buttons>
            <Button kind="main" busy={busy} onClick={resume}>
              {words.settings.resume}
            </Button>
          </Buttons>
        </Box>
      ) : null}
      <Section title={words.settings.sections.standing}>
        <Standing account={account} />
        <CheckProgress name={account.name} checking={checking} progress={progress} />
        <Buttons>
          <Button icon={<RefreshCw size={16} aria-hidden="true" />} busy={checking} onClick={check}>
            {checking ? words.checking.checking : words.checking.checkNow}
          </Button>
          {paused ? null : (
            <Button busy={busy} onClick={pause}>
              {words.settings.pause}
            </Button>
          )}
          <Link href={`/mail/${account.id}`}>{words.settings.toItsMail}</Link>
        </Buttons>
      </Section>
      <SettingsForm account={account} wantedField={wantedField} onFieldShown={() => setWantedField(null)} />
      <Passwords account={account} troubles={troubles} />
      <ConsentSection account={account} />
      <ReplyToSection account={account} />
      <HistorySection account={account} />
      <DeleteSection account={account} />
    </Page>
  );
}

/** The two passwords, each on its own: only one of them may have changed. What is asked for above is not here again. */
function Passwords({ account, troubles }: { account: Account; troubles: Trouble[] }) {
  const words = useWords().settings;
  const asked = (direction: string) =>
    troubles.some((trouble) => trouble.remedy === "password" && trouble.direction === direction);
  const incoming = account.incoming.auth === "password" && !asked("incoming");
  const outgoing = account.outgoing?.auth === "password" && !asked("outgoing");
  if (!incoming && !outgoing) return null;
  return (
    <Section title={words.sections.passwords} opening={words.passwords.opening}>
      {incoming ? <PasswordForm account={account} direction="incoming" /> : null}
      {outgoing ? <PasswordForm account={account} direction="outgoing" /> : null}
    </Section>
  );
}
