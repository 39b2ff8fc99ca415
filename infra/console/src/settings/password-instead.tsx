/** A password in the place of a sign-in at the provider, where the provider takes one: tried, then kept. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { type Account, accountsQuery, changeAccount, keepAccount } from "../api/accounts";
import { Button } from "../controls/button";
import { Actions, Dialog } from "../controls/dialog";
import { PasswordField } from "../controls/field";
import { useNotices } from "../controls/notices";
import { useWords } from "../language/language";
import { FailureNote } from "./failure-note";
import { Form, Soft } from "./layout";
import { passwordsInstead } from "./values";

export function PasswordInsteadDialog({ account, onClose }: { account: Account; onClose: () => void }) {
  const words = useWords();
  const told = words.settings.consent;
  const cache = useQueryClient();
  const { tell } = useNotices();
  const [password, setPassword] = useState("");
  const [wrong, setWrong] = useState<string>();
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => changeAccount(account, passwordsInstead(account, password)),
    onSuccess: (changed) => {
      keepAccount(cache, changed);
      tell(told.passwordKept, "good");
      void cache.invalidateQueries({ queryKey: accountsQuery.queryKey });
      onClose();
    },
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    if (isPending) return;
    setWrong(password ? undefined : words.settings.problems.required);
    if (password) mutate();
  };
  return (
    <Dialog title={told.usePassword} onClose={onClose}>
      <Form onSubmit={onSubmit}>
        <p>{told.usePasswordText}</p>
        <PasswordField
          label={words.settings.add.passwordKinds.app_password}
          autoComplete="off"
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          problem={wrong}
        />
        <FailureNote failure={error} />
        {isPending ? <Soft>{words.settings.add.trying(account.incoming.host)}</Soft> : null}
        <Actions>
          <Button onClick={onClose}>{words.common.cancel}</Button>
          <Button type="submit" kind="main" busy={isPending}>
            {words.settings.passwords.tryAndKeep}
          </Button>
        </Actions>
      </Form>
    </Dialog>
  );
}
