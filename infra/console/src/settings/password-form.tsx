/** A new password for one of the servers: it is tried, and kept if it works; else the old one stays. */
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { type Account, accountsQuery, changePassword, type Direction, keepAccount } from "../api/accounts";
import { Button } from "../controls/button";
import { PasswordField } from "../controls/field";
import { useNotices } from "../controls/notices";
import { useWords } from "../language/language";
import { FailureNote } from "./failure-note";
import { fieldProblems } from "./field-problems";
import styles from "./password-form.module.css";

interface Props {
  account: Account;
  direction: Direction;
  focused?: boolean;
}

export function PasswordForm({ account, direction, focused = false }: Props) {
  const words = useWords();
  const told = words.settings.passwords;
  const cache = useQueryClient();
  const { tell } = useNotices();
  const form = useRef<HTMLFormElement>(null);
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState<string>();
  const [failure, setFailure] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const server = direction === "incoming" ? account.incoming : account.outgoing;

  useEffect(() => {
    if (focused) form.current?.querySelector("input")?.focus();
  }, [focused]);

  const onSubmit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    setProblem(password ? undefined : words.settings.problems.required);
    setFailure(null);
    if (!password) return form.current?.querySelector("input")?.focus();
    setBusy(true);
    try {
      keepAccount(cache, await changePassword(account.id, direction, password));
      setPassword("");
      tell(told.kept[direction], "good");
      void cache.invalidateQueries({ queryKey: accountsQuery.queryKey });
    } catch (reason) {
      setProblem(fieldProblems(reason, words).password);
      setFailure(reason);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form className={styles.form} ref={form} onSubmit={onSubmit} noValidate>
      <div className={styles.line}>
        <PasswordField
          label={told.labels[direction]}
          autoComplete="off"
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          problem={problem}
        />
        <Button type="submit" busy={busy} kind={focused ? "main" : "plain"}>
          {told.tryAndKeep}
        </Button>
      </div>
      <span role="status">{busy && server ? words.settings.add.trying(server.host) : null}</span>
      {problem ? null : <FailureNote failure={failure} />}
    </form>
  );
}
