/** What an account is called, what is fetched and from where: changed together, and saved as what differs. */
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { type Account, accountsQuery, changeAccount, keepAccount, readAccount } from "../api/accounts";
import { ApiFailure } from "../api/client";
import { providerOf, useProviders } from "../api/providers";
import { Button } from "../controls/button";
import { Choice } from "../controls/choice";
import { TextField } from "../controls/field";
import { useNotices } from "../controls/notices";
import { useLanguage } from "../language/language";
import { useUnsaved } from "../shell/leaving";
import { FailureNote } from "./failure-note";
import { fieldProblems } from "./field-problems";
import { Fields, Form, Section } from "./layout";
import { RetrievalFields } from "./retrieval-fields";
import { ServerFields } from "./server-fields";
import styles from "./settings-form.module.css";
import {
  type AccountValues,
  emptyServer,
  needsPassword,
  type Problems,
  patchOf,
  problemsOf,
  rebased,
  valuesOf,
} from "./values";

interface Props {
  account: Account;
  /** The field that something elsewhere on the page leads to. */
  wantedField: string | null;
  onFieldShown: () => void;
}

export function SettingsForm({ account, wantedField, onFieldShown }: Props) {
  const { words, tag } = useLanguage();
  const cache = useQueryClient();
  const { tell } = useNotices();
  const form = useRef<HTMLFormElement>(null);
  const incoming = useRef<HTMLDivElement>(null);
  const outgoing = useRef<HTMLDivElement>(null);
  // What the values began as, and the version that a change is meant for.
  const [base, setBase] = useState(account);
  const [values, setValues] = useState<AccountValues>(() => valuesOf(account));
  const [problems, setProblems] = useState<Problems>({});
  const [failure, setFailure] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const providers = useProviders(tag);
  const provider = providerOf(values.incoming.host.trim(), providers.data);
  const patch = patchOf(base, values);
  const unsaved = patch !== null;
  const question = useUnsaved(unsaved);
  const set = (changes: Partial<AccountValues>) => setValues((all) => ({ ...all, ...changes }));

  const begin = (from: Account) => {
    setBase(from);
    setValues(valuesOf(from));
    setProblems({});
  };
  // What was typed since the values were as they `were` stays over what an answer brings.
  const goOnFrom = (fresh: Account, were: AccountValues) => {
    keepAccount(cache, fresh);
    setBase(fresh);
    setValues((now) => rebased(were, now, valuesOf(fresh)));
  };
  // The list that it is shown from may still be older than what an answer brought.
  if (account.version > base.version && !busy) {
    // A password or a reply address makes a new version too, in which these settings are the same.
    if (patchOf(account, valuesOf(base)) === null) setBase(account);
    else if (!unsaved) begin(account);
  }

  useEffect(() => {
    if (Object.keys(problems).length > 0) {
      form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
    }
  }, [problems]);
  useEffect(() => {
    if (!wantedField) return;
    const part = wantedField.startsWith("incoming") ? incoming.current : outgoing.current;
    part?.scrollIntoView({ block: "start", behavior: "smooth" });
    part?.querySelector("input")?.focus({ preventScroll: true });
    onFieldShown();
  }, [wantedField, onFieldShown]);

  const onSubmit = async (event: FormEvent) => {
    event.preventDefault();
    if (!patch || busy) return;
    const wrong = problemsOf(base, values, words.settings.problems);
    setProblems(wrong);
    setFailure(null);
    if (Object.keys(wrong).length > 0) return;
    setBusy(true);
    try {
      const changed = await changeAccount(base, patch);
      goOnFrom(changed, values);
      tell(words.common.saved, "good");
      void cache.invalidateQueries({ queryKey: accountsQuery.queryKey });
    } catch (reason) {
      setFailure(reason);
      setProblems(fieldProblems(reason, words));
      if (reason instanceof ApiFailure && reason.status === 412) {
        const fresh = await readAccount(account.id).catch(() => null);
        if (fresh) goOnFrom(fresh, valuesOf(base));
      }
    } finally {
      setBusy(false);
    }
  };
  const askedAgain = (direction: "incoming" | "outgoing") => {
    const server = values[direction];
    return server !== null && needsPassword(base[direction], server) ? words.settings.server.passwordAgain : null;
  };
  const sections = words.settings.sections;
  return (
    <Form ref={form} onSubmit={onSubmit}>
      <Section title={sections.name}>
        <Fields>
          <TextField
            label={words.settings.name}
            hint={words.settings.nameHint}
            maxLength={100}
            autoComplete="off"
            value={values.name}
            onChange={(event) => set({ name: event.target.value })}
            problem={problems.name}
          />
          <TextField
            label={words.settings.add.address}
            hint={words.settings.addressHint}
            type="email"
            autoComplete="off"
            value={values.email}
            onChange={(event) => set({ email: event.target.value })}
            problem={problems.email}
          />
        </Fields>
      </Section>
      <Section title={sections.retrieval}>
        <RetrievalFields
          name={account.id}
          values={values.retrieval}
          onChange={(retrieval) => set({ retrieval })}
          problems={problems}
          shortest={provider?.shortest_interval_minutes ?? null}
          recommended={provider?.recommended_interval_minutes ?? null}
        />
      </Section>
      <div ref={incoming}>
        <Section title={sections.incoming}>
          <ServerFields
            direction="incoming"
            server={values.incoming}
            onChange={(server) => set({ incoming: server })}
            problems={problems}
            password={askedAgain("incoming")}
          />
        </Section>
      </div>
      <div ref={outgoing}>
        <Section title={sections.outgoing}>
          <Choice
            type="checkbox"
            label={words.settings.server.sends}
            hint={words.settings.server.sendsHint}
            checked={values.outgoing !== null}
            onChange={(event) =>
              set({
                outgoing: event.target.checked
                  ? (valuesOf(base).outgoing ?? emptyServer("outgoing", values.incoming.username))
                  : null,
              })
            }
          />
          {values.outgoing ? (
            <ServerFields
              direction="outgoing"
              server={values.outgoing}
              onChange={(server) => set({ outgoing: server })}
              problems={problems}
              password={base.incoming.auth === "oauth2" && !base.outgoing ? null : askedAgain("outgoing")}
            />
          ) : null}
        </Section>
      </div>
      <FailureNote failure={failure} />
      {unsaved ? (
        <div className={styles.bar}>
          <span className={styles.told} role="status">
            {busy ? words.settings.saving : words.settings.unsaved}
          </span>
          <Button
            kind="quiet"
            disabled={busy}
            onClick={() => {
              begin(account);
              setFailure(null);
            }}
          >
            {words.settings.discard}
          </Button>
          <Button type="submit" kind="main" busy={busy}>
            {words.settings.save}
          </Button>
        </div>
      ) : null}
      {question}
    </Form>
  );
}
