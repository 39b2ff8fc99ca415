/** The second step: what was found for the address, what is to be fetched, and adding it with one click. */
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { Link } from "wouter";
import { type Account, addAccount } from "../api/accounts";
import { ApiFailure } from "../api/client";
import { type AuthorizationServer, authorizationServerOf, useAuthorizationServers } from "../api/oauth";
import { type FoundSettings, useProviders } from "../api/providers";
import { Button } from "../controls/button";
import { Choice, Choices } from "../controls/choice";
import { PasswordField, TextField } from "../controls/field";
import { Loading } from "../controls/states";
import { useLanguage, useWords } from "../language/language";
import { goToConsent } from "./consent-start";
import { FailureNote } from "./failure-note";
import { fieldProblems } from "./field-problems";
import styles from "./found-step.module.css";
import { Box, Buttons, Form, Section, Soft } from "./layout";
import {
  accountOf,
  type NewAccountValues,
  offersConsent,
  offersPassword,
  problemsOfNew,
  proposed,
} from "./new-account";
import { RetrievalFields } from "./retrieval-fields";
import { ServerFields } from "./server-fields";
import { Summary } from "./summary";
import type { Problems } from "./values";

interface Props {
  found: FoundSettings;
  password: string;
  onBack: () => void;
  onAdded: (account: Account) => void;
}

export function FoundStep(props: Props) {
  const servers = useAuthorizationServers();
  // Without knowing whether there is consent to be had, a password is proposed.
  if (servers.isPending && offersConsent(props.found)) return <Loading />;
  const { oauth_provider: id, incoming } = props.found;
  const giver =
    servers.data?.find((one) => one.id === id) ??
    (incoming ? authorizationServerOf(incoming.host, servers.data) : null);
  return <FoundForm {...props} giver={giver} />;
}

/** What failed at the servers or on the way to them, after which their settings are worth a look. */
const OF_THE_SERVERS = new Set(["cannot_connect", "tls_failed", "server_error", "sign_in_off", "host_refused"]);
/** What says nothing against the settings, so that the account may be added without a trial. */
const MAY_GO_UNTRIED = new Set(["too_frequent", "maildrop_busy", "cannot_connect", "server_error"]);

function FoundForm({ found, password, onBack, onAdded, giver }: Props & { giver: AuthorizationServer | null }) {
  const words = useWords();
  const add = words.settings.add;
  const form = useRef<HTMLFormElement>(null);
  const [values, setValues] = useState(() => proposed(found, password, giver?.configured ?? false));
  const [problems, setProblems] = useState<Problems>({});
  const [failure, setFailure] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [agreed, setAgreed] = useState(!found.needs_confirmation);
  const [byHand, setByHand] = useState(found.incoming === null);
  const set = (changes: Partial<NewAccountValues>) => setValues((all) => ({ ...all, ...changes }));
  const code = failure instanceof ApiFailure ? failure.code : "";
  const byConsent = values.auth === "oauth2";
  const consentReady = giver?.configured ?? false;
  const noWayIn = byConsent && !consentReady;

  // What is wrong is looked at where it is.
  useEffect(() => {
    if (Object.keys(problems).length > 0) {
      form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
    }
  }, [problems]);

  const addIt = async (verify: boolean) => {
    const missing = problemsOfNew(values, words.settings.problems);
    setProblems(missing);
    setFailure(null);
    if (Object.keys(missing).some((field) => !field.endsWith(".password"))) setByHand(true);
    if (Object.keys(missing).length > 0) return;
    setBusy(true);
    try {
      const account = await addAccount(accountOf(values, verify));
      if (!byConsent) return onAdded(account);
      // The account is there from here on: whatever fails now is told on its page.
      await goToConsent(account.id).catch(() => onAdded(account));
    } catch (reason) {
      setBusy(false);
      setFailure(reason);
      const named = fieldProblems(reason, words);
      setProblems(named);
      const refused = reason instanceof ApiFailure && OF_THE_SERVERS.has(reason.code);
      if (refused || Object.keys(named).length > 0) setByHand(true);
    }
  };
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    if (!busy) void addIt(true);
  };

  return (
    <Form ref={form} onSubmit={onSubmit}>
      <Section
        title={found.provider?.name ?? (found.incoming ? add.foundTitle : add.notFoundTitle)}
        opening={found.email}
      >
        <Help found={found} />
        {found.incoming && !byHand ? <FoundServers values={values} /> : null}
        {offersConsent(found) && giver ? (
          <WayIn found={found} giver={giver} auth={values.auth} onChange={(auth) => set({ auth })} />
        ) : null}
        {!byConsent && !(byHand && !found.incoming) ? (
          <PasswordField
            label={words.settings.add.passwordKinds[passwordKind(found)]}
            autoComplete="off"
            value={values.incoming.password}
            onChange={(event) => set({ incoming: { ...values.incoming, password: event.target.value } })}
            problem={problems["incoming.password"]}
          />
        ) : null}
        {found.needs_confirmation ? (
          <Choice
            type="checkbox"
            label={add.strangeServers(strangeHosts(found))}
            checked={agreed}
            onChange={(event) => setAgreed(event.target.checked)}
          />
        ) : null}
        {byHand ? null : (
          <Buttons>
            <Button kind="quiet" className={styles.byHand} onClick={() => setByHand(true)}>
              {add.byHand}
            </Button>
          </Buttons>
        )}
      </Section>

      {byHand ? <ServersByHand values={values} set={set} problems={problems} asksPassword={!found.incoming} /> : null}

      <Section title={words.settings.sections.retrieval}>
        <details className={styles.details} open={"fetch.start" in problems || undefined}>
          <summary>
            <Summary retrieval={values.retrieval} />
            <span className={styles.change}>{add.change}</span>
          </summary>
          <div className={styles.inside}>
            <RetrievalFields
              name="new"
              values={values.retrieval}
              onChange={(retrieval) => set({ retrieval })}
              problems={problems}
              shortest={found.shortest_interval_minutes}
              recommended={found.recommended_interval_minutes}
            />
          </div>
        </details>
        <TextField
          label={words.settings.name}
          hint={words.settings.nameHint}
          placeholder={found.email}
          maxLength={100}
          value={values.name}
          onChange={(event) => set({ name: event.target.value })}
          problem={problems.name}
        />
      </Section>

      {noWayIn && giver ? (
        <Box tone="warn">
          <p>{add.notRegistered(giver.name)}</p>
        </Box>
      ) : null}
      <FailureNote failure={failure}>
        {failure ? (
          <Buttons>
            {code === "account_already_added" ? <Link href="/settings">{add.toAccounts}</Link> : null}
            {code === "sign_in_refused" && offersConsent(found) && consentReady && giver ? (
              <Button onClick={() => set({ auth: "oauth2" })}>{add.signInAt(giver.name)}</Button>
            ) : null}
            {MAY_GO_UNTRIED.has(code) ? <Button onClick={() => void addIt(false)}>{add.addUntried}</Button> : null}
          </Buttons>
        ) : null}
      </FailureNote>
      <Buttons>
        <Button type="submit" kind="main" busy={busy} disabled={!agreed || noWayIn}>
          {byConsent && giver ? add.signInAt(giver.name) : add.add}
        </Button>
        <Button kind="quiet" onClick={onBack} disabled={busy}>
          {words.common.back}
        </Button>
        <span role="status">{busy ? trying() : null}</span>
      </Buttons>
    </Form>
  );

  function trying(): string {
    return byConsent && giver ? add.goingTo(giver.name) : add.trying(values.incoming.host);
  }
}

/** What the owner should know or do first. */
function Help({ found }: { found: FoundSettings }) {
  const { words, tag } = useLanguage();
  const add = words.settings.add;
  const providers = useProviders(tag);
  const known = providers.data?.find((one) => one.id === found.provider?.id);
  const text = known?.help ?? (found.provider ? found.help : null);
  return (
    <>
      {text ? (
        <Box tone="plain">
          <p>{text}</p>
        </Box>
      ) : null}
      {found.source === null ? <Soft>{add.nothingFound}</Soft> : null}
      {found.source !== null && !found.incoming && !found.provider ? (
        <Box tone="warn">
          <p>{add.noPop}</p>
        </Box>
      ) : null}
      {found.incoming && !found.provider ? <Soft>{add.ifRefused}</Soft> : null}
    </>
  );
}

function FoundServers({ values }: { values: NewAccountValues }) {
  const words = useWords().settings;
  const { incoming, outgoing, sends } = values;
  const line = (server: typeof incoming): ReactNode => (
    <>
      <span className={styles.host}>{server.host}</span>
      <Soft>
        {words.server.portAnd(server.port, words.server.securities[server.security])} · {server.username}
      </Soft>
    </>
  );
  return (
    <dl className={styles.servers}>
      <div>
        <dt>{words.sections.incoming}</dt>
        <dd>{line(incoming)}</dd>
      </div>
      <div>
        <dt>{words.sections.outgoing}</dt>
        <dd>{sends ? line(outgoing) : words.server.receiveOnly}</dd>
      </div>
    </dl>
  );
}

interface WayInProps {
  found: FoundSettings;
  giver: AuthorizationServer;
  auth: "password" | "oauth2";
  onChange: (auth: "password" | "oauth2") => void;
}

/** How the mailbox is opened, where there are several ways; a way that is not open is told with what to do. */
function WayIn({ found, giver, auth, onChange }: WayInProps) {
  const add = useWords().settings.add;
  if (!offersPassword(found)) return giver.configured ? <p>{add.consentOnly(giver.name)}</p> : null;
  if (!giver.configured) return <Soft>{add.consentMissing(giver.name)}</Soft>;
  return (
    <Choices legend={add.wayIn}>
      <Choice
        type="radio"
        name="way-in"
        label={add.signInAt(giver.name)}
        hint={add.consentHint}
        checked={auth === "oauth2"}
        onChange={() => onChange("oauth2")}
      />
      <Choice
        type="radio"
        name="way-in"
        label={add.passwordKinds[passwordKind(found)]}
        checked={auth === "password"}
        onChange={() => onChange("password")}
      />
    </Choices>
  );
}

interface ByHandProps {
  values: NewAccountValues;
  set: (changes: Partial<NewAccountValues>) => void;
  problems: Problems;
  asksPassword: boolean;
}

function ServersByHand({ values, set, problems, asksPassword }: ByHandProps) {
  const words = useWords().settings;
  const byPassword = values.auth === "password";
  return (
    <>
      <Section title={words.sections.incoming}>
        <ServerFields
          direction="incoming"
          server={values.incoming}
          onChange={(incoming) => set({ incoming })}
          problems={problems}
          password={asksPassword && byPassword}
        />
      </Section>
      <Section title={words.sections.outgoing}>
        <Choice
          type="checkbox"
          label={words.server.sends}
          hint={words.server.sendsHint}
          checked={values.sends}
          onChange={(event) => set({ sends: event.target.checked })}
        />
        {values.sends ? (
          <ServerFields
            direction="outgoing"
            server={values.outgoing}
            onChange={(outgoing) => set({ outgoing })}
            problems={problems}
            password={byPassword && !values.samePassword}
          />
        ) : null}
        {values.sends && byPassword ? (
          <Choice
            type="checkbox"
            label={words.server.samePassword}
            checked={values.samePassword}
            onChange={(event) => set({ samePassword: event.target.checked })}
          />
        ) : null}
      </Section>
    </>
  );
}

function passwordKind(found: FoundSettings): "password" | "app_password" | "authorization_code" {
  const kinds = found.sign_in_methods.filter((method) => method !== "oauth2");
  return kinds.includes("password") ? "password" : (kinds[0] ?? "password");
}

function strangeHosts(found: FoundSettings): string {
  const hosts = [found.incoming?.host, found.outgoing?.host].filter((host) => host !== undefined);
  return [...new Set(hosts)].join(", ");
}
