/** What keeps the account from working: what happened, the server's words, and the remedy as the first thing to do. */
import type { Account } from "../api/accounts";
import { providerOf, useProviders } from "../api/providers";
import { Button } from "../controls/button";
import { toldCode, useLanguage } from "../language/language";
import { ConsentButton } from "./consent-section";
import { Box, Buttons, Soft } from "./layout";
import { PasswordForm } from "./password-form";
import type { Trouble } from "./trouble";

interface Props {
  account: Account;
  trouble: Trouble;
  /** The first one's password field has the focus. */
  first: boolean;
  check: () => void;
  checking: boolean;
  onSettings: () => void;
}

export function TroubleBanner({ account, trouble, first, check, checking, onSettings }: Props) {
  const { words, tag } = useLanguage();
  const told = words.settings.troubles;
  const providers = useProviders(tag);
  const help = providerOf(account.incoming.host, providers.data)?.help;
  const aboutSignIn =
    trouble.kind === "sign_in_failed" || (trouble.kind === "failing" && trouble.remedy === "password");
  // That consent is missing is what the title says.
  const reason = trouble.kind === "not_connected" ? "" : toldCode(words, trouble.code, "");
  const offersCheck = trouble.direction === "incoming" && trouble.kind !== "not_connected";
  return (
    <Box tone={trouble.stopped ? "bad" : "warn"} title={told.titles[trouble.kind]}>
      <p>
        {reason ? `${reason} ` : null}
        {told.remedies[trouble.remedy]}
      </p>
      {trouble.remedy === "password" ? (
        <PasswordForm account={account} direction={trouble.direction} focused={first && trouble.stopped} />
      ) : null}
      <Buttons>
        {trouble.remedy === "consent" ? <ConsentButton account={account} kind="main" /> : null}
        {trouble.remedy === "settings" ? (
          <Button kind="main" onClick={onSettings}>
            {told.changeSettings}
          </Button>
        ) : null}
        {offersCheck ? (
          <Button kind={trouble.remedy === "check" ? "main" : "plain"} busy={checking} onClick={check}>
            {words.checking.checkNow}
          </Button>
        ) : null}
      </Buttons>
      {trouble.stopped ? null : <Soft>{told.byItself}</Soft>}
      {aboutSignIn && help ? <Soft>{help}</Soft> : null}
      {trouble.message ? (
        <details>
          <summary>{told.details}</summary>
          <p lang="en">{trouble.message}</p>
        </details>
      ) : null}
    </Box>
  );
}
