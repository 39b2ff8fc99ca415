/** The first step: the address of the mailbox, and its password where it has one for programs. */
import { type FormEvent, useState } from "react";
import { Button } from "../controls/button";
import { PasswordField, TextField } from "../controls/field";
import { useWords } from "../language/language";
import { FailureNote } from "./failure-note";
import { Buttons, Form, Section } from "./layout";
import { isAddress } from "./values";

interface Props {
  email: string;
  password: string;
  onEmail: (email: string) => void;
  onPassword: (password: string) => void;
  onContinue: () => Promise<void>;
}

export function AddressStep({ email, password, onEmail, onPassword, onContinue }: Props) {
  const words = useWords().settings;
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const [wrong, setWrong] = useState(false);
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    setWrong(!isAddress(email));
    if (!isAddress(email)) return;
    setBusy(true);
    setFailure(null);
    onContinue().catch((reason) => {
      setBusy(false);
      setFailure(reason);
    });
  };
  return (
    <Section title={words.add.addressTitle} opening={words.add.addressOpening}>
      <Form onSubmit={onSubmit}>
        <TextField
          label={words.add.address}
          type="email"
          name="email"
          autoComplete="email"
          autoCapitalize="none"
          spellCheck={false}
          value={email}
          onChange={(event) => onEmail(event.target.value)}
          problem={wrong ? words.problems.email : undefined}
        />
        <PasswordField
          label={words.add.password}
          hint={words.add.passwordHint}
          autoComplete="off"
          value={password}
          onChange={(event) => onPassword(event.target.value)}
        />
        <FailureNote failure={failure} />
        <Buttons>
          <Button type="submit" kind="main" busy={busy}>
            {words.add.goOn}
          </Button>
          <span role="status">{busy ? words.add.lookingUp(email.trim()) : null}</span>
        </Buttons>
      </Form>
    </Section>
  );
}
