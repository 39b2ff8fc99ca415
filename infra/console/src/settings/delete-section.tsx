/** Deleting an account: its mail is kept or goes with it, and its address is typed so that it is meant. */
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { type Account, accountsQuery, deleteAccount } from "../api/accounts";
import { MESSAGES } from "../api/messages";
import { Button } from "../controls/button";
import { Choice, Choices } from "../controls/choice";
import { Actions, Dialog } from "../controls/dialog";
import { TextField } from "../controls/field";
import { useNotices } from "../controls/notices";
import { useWords } from "../language/language";
import { go } from "../shell/hash-route";
import { FailureNote } from "./failure-note";
import { Buttons, Form, Section } from "./layout";

export function DeleteSection({ account }: { account: Account }) {
  const words = useWords().settings;
  const [open, setOpen] = useState(false);
  return (
    <Section title={words.sections.delete} opening={words.deletion.opening}>
      <Buttons>
        <Button kind="danger" onClick={() => setOpen(true)}>
          {words.deletion.begin}
        </Button>
      </Buttons>
      {open ? <DeleteDialog account={account} onClose={() => setOpen(false)} /> : null}
    </Section>
  );
}

function DeleteDialog({ account, onClose }: { account: Account; onClose: () => void }) {
  const words = useWords();
  const told = words.settings.deletion;
  const cache = useQueryClient();
  const { tell } = useNotices();
  const [mail, setMail] = useState<"keep" | "delete">("keep");
  const [typed, setTyped] = useState("");
  const [wrong, setWrong] = useState<string>();
  const [failure, setFailure] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const onSubmit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    if (typed.trim().toLowerCase() !== account.email.toLowerCase()) return setWrong(told.typeIt(account.email));
    setWrong(undefined);
    setFailure(null);
    setBusy(true);
    try {
      const erasing = await deleteAccount(account.id, mail);
      tell(erasing ? told.erasing(account.name) : told.done(account.name), "good");
      // What was changed on the page is gone with the account, and nothing to ask about.
      go("/settings", { replace: true });
      cache.setQueryData(accountsQuery.queryKey, (all) => all?.filter((one) => one.id !== account.id));
      void cache.invalidateQueries({ queryKey: accountsQuery.queryKey });
      cache.removeQueries({ queryKey: MESSAGES });
    } catch (reason) {
      setFailure(reason);
      setBusy(false);
    }
  };
  return (
    <Dialog title={told.title(account.name)} onClose={onClose}>
      <Form onSubmit={onSubmit}>
        <p>{told.text}</p>
        <Choices legend={told.mail}>
          <Choice
            type="radio"
            name="mail"
            label={told.keep}
            hint={told.keepHint}
            checked={mail === "keep"}
            onChange={() => setMail("keep")}
          />
          <Choice
            type="radio"
            name="mail"
            label={told.erase}
            hint={told.eraseHint}
            checked={mail === "delete"}
            onChange={() => setMail("delete")}
          />
        </Choices>
        <TextField
          label={told.typeIt(account.email)}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          problem={wrong}
        />
        <FailureNote failure={failure} />
        <Actions>
          <Button onClick={onClose}>{words.common.cancel}</Button>
          <Button type="submit" kind="danger" busy={busy}>
            {mail === "delete" ? told.confirmWithMail : told.confirm}
          </Button>
        </Actions>
      </Form>
    </Dialog>
  );
}
