/** Signing in at the provider: whether it is connected, again, by a code, and giving it back. */
import { skipToken, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { type Account, accountsQuery, keepAccount } from "../api/accounts";
import {
  askForDeviceConsent,
  authorizationServerOf,
  giveConsentBack,
  lookAtDeviceConsent,
  useAuthorizationServers,
} from "../api/oauth";
import { providerOf, useProviders } from "../api/providers";
import { Button } from "../controls/button";
import { Actions, Dialog } from "../controls/dialog";
import { useNotices } from "../controls/notices";
import { useFormats } from "../language/formats";
import { useLanguage, useWords } from "../language/language";
import styles from "./consent-section.module.css";
import { consentAddress, useConsentStart } from "./consent-start";
import { FailureNote } from "./failure-note";
import { Box, Buttons, Section } from "./layout";
import { PasswordInsteadDialog } from "./password-instead";

function useGiver(account: Account) {
  const servers = useAuthorizationServers();
  const granted = servers.data?.find((one) => one.id === account.oauth?.provider);
  return granted ?? authorizationServerOf(account.incoming.host, servers.data);
}

/** The button that leads to the provider; where popfetch is not registered there, the words for that. */
export function ConsentButton({ account, kind = "plain" }: { account: Account; kind?: "main" | "plain" }) {
  const words = useWords().settings;
  const giver = useGiver(account);
  const { start, busy, failure } = useConsentStart(account.id);
  const label = account.oauth
    ? account.oauth.provider || account.last_fetch
      ? words.consent.again
      : words.add.signInAt(giver?.name ?? words.consent.provider)
    : words.consent.instead(giver?.name ?? words.consent.provider);
  if (giver && !giver.configured) return <p>{words.add.notRegistered(giver.name)}</p>;
  return (
    <>
      <Button kind={kind} busy={busy} onClick={start}>
        {label}
      </Button>
      <FailureNote failure={failure} />
    </>
  );
}

export function ConsentSection({ account }: { account: Account }) {
  const { words: all, tag } = useLanguage();
  const words = all.settings;
  const formats = useFormats();
  const giver = useGiver(account);
  const [byCode, setByCode] = useState(false);
  const [leaving, setLeaving] = useState(false);
  const [byPassword, setByPassword] = useState(false);
  const provider = providerOf(account.incoming.host, useProviders(tag).data);
  const takesPasswords = !provider || provider.sign_in_methods.some((method) => method !== "oauth2");
  const { oauth } = account;
  if (!oauth && !giver?.configured) return null;
  const name = giver?.name ?? words.consent.provider;
  const standing = !oauth
    ? words.consent.notUsed(name)
    : oauth.connected && oauth.connected_at
      ? words.consent.connectedSince(name, formats.full(oauth.connected_at))
      : words.consent.notConnected(name);
  return (
    <Section title={words.sections.consent} opening={standing}>
      <Buttons>
        <ConsentButton account={account} />
        {giver?.configured && giver.flows.includes("device") ? (
          <Button onClick={() => setByCode(true)}>{words.consent.byCode}</Button>
        ) : null}
        {oauth && takesPasswords ? (
          <Button onClick={() => setByPassword(true)}>{words.consent.usePassword}</Button>
        ) : null}
        {oauth?.provider ? (
          <Button kind="danger" onClick={() => setLeaving(true)}>
            {words.consent.disconnect}
          </Button>
        ) : null}
      </Buttons>
      {byCode ? <DeviceDialog account={account} onClose={() => setByCode(false)} /> : null}
      {byPassword ? <PasswordInsteadDialog account={account} onClose={() => setByPassword(false)} /> : null}
      {leaving ? <DisconnectDialog account={account} name={name} onClose={() => setLeaving(false)} /> : null}
    </Section>
  );
}

interface DialogProps {
  account: Account;
  onClose: () => void;
}

function DisconnectDialog({ account, name, onClose }: DialogProps & { name: string }) {
  const words = useWords();
  const cache = useQueryClient();
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => giveConsentBack(account.id),
    onSuccess: (changed) => {
      keepAccount(cache, changed);
      onClose();
    },
  });
  return (
    <Dialog title={words.settings.consent.disconnectTitle(name)} onClose={onClose}>
      <p>{words.settings.consent.disconnectText}</p>
      <FailureNote failure={error} />
      <Actions>
        <Button onClick={onClose}>{words.common.cancel}</Button>
        <Button kind="danger" busy={isPending} onClick={() => mutate()}>
          {words.settings.consent.disconnect}
        </Button>
      </Actions>
    </Dialog>
  );
}

/** Consent by a code, which is entered at the provider in any browser; asked after until it was. */
function DeviceDialog({ account, onClose }: DialogProps) {
  const words = useWords();
  const told = words.settings.consent;
  const cache = useQueryClient();
  const { tell } = useNotices();
  const { id } = account;
  const flow = useQuery({
    queryKey: ["device-consent", id],
    queryFn: () => askForDeviceConsent(id),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    retry: false,
  });
  const asked = flow.data;
  const answer = useQuery({
    queryKey: ["device-consent", id, asked?.device_flow_id],
    queryFn: asked ? () => lookAtDeviceConsent(id, asked.device_flow_id) : skipToken,
    // Nobody enters a code at once: the first look waits as long as each one after it.
    initialData: asked?.interval_seconds,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    refetchInterval: ({ state }) =>
      typeof state.data === "number" && state.status !== "error" ? state.data * 1000 : false,
  });
  const failure = flow.error ?? answer.error;
  const connected = typeof answer.data === "object" ? answer.data : null;

  useEffect(() => {
    if (!connected) return;
    const codes: Record<string, string | undefined> = words.settings.connected.codes;
    const { trouble } = connected;
    keepAccount(cache, connected.account);
    tell(trouble ? (codes[trouble.code] ?? words.settings.connected.other) : words.settings.connected.heading, "good");
    void cache.invalidateQueries({ queryKey: accountsQuery.queryKey });
    onClose();
  }, [connected, cache, tell, words, onClose]);

  const address = asked && consentAddress(asked.verification_uri);
  return (
    <Dialog title={told.byCode} onClose={onClose}>
      {asked && address && !failure ? (
        <>
          <p>{told.enterCode}</p>
          <p className={styles.code}>{asked.user_code}</p>
          <p>
            <a href={address.href} target="_blank" rel="noreferrer">
              {address.host + address.pathname}
            </a>
          </p>
          <p role="status">{told.waitingForCode}</p>
        </>
      ) : null}
      {asked || failure ? null : <p role="status">{words.common.loading}</p>}
      <FailureNote failure={failure} />
      {asked && !address ? (
        <Box tone="bad">
          <p>{told.unprotected}</p>
        </Box>
      ) : null}
      <Actions>
        <Button onClick={onClose}>{words.common.cancel}</Button>
      </Actions>
    </Dialog>
  );
}
