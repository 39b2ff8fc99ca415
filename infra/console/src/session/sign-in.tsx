/** Signing in: address and password, and what Cognito may ask besides; and a new password for who has forgotten it. */
import { type FormEvent, type ReactNode, useLayoutEffect, useRef, useState } from "react";
import { answerChallenge, type Challenge, resetPassword, type SignedIn, sendResetCode, signIn } from "../api/session";
import { Appearance } from "../appearance/appearance";
import { Button } from "../controls/button";
import { PasswordField, TextField } from "../controls/field";
import { toldFailure, useWords } from "../language/language";
import { useSession } from "./session";
import styles from "./sign-in.module.css";

type Step =
  | { kind: "password"; told?: string }
  | { kind: "asked"; asked: Challenge }
  | { kind: "forgotten" }
  | { kind: "reset"; email: string };

/** `ended`: the session has, by itself. `unended`: one that was left may go on, as the server was not reached. */
export function SignIn({ ended, unended }: { ended: boolean; unended: boolean }) {
  const words = useWords();
  const { enter } = useSession();
  const [step, setStep] = useState<Step>(
    ended ? { kind: "password", told: words.session.ended } : { kind: "password" },
  );
  const [email, setEmail] = useState("");

  const goOn = (outcome: SignedIn) => {
    if ("tokens" in outcome) enter(outcome.tokens);
    else setStep({ kind: "asked", asked: outcome.asked });
  };

  return (
    <div className={styles.page}>
      <main className={styles.card}>
        <p className={styles.product}>{words.common.product}</p>
        {unended ? <UnendedNote /> : null}
        {step.kind === "password" ? (
          <PasswordStep
            email={email}
            onEmail={setEmail}
            told={step.told}
            onDone={goOn}
            onForgotten={() => setStep({ kind: "forgotten" })}
          />
        ) : null}
        {step.kind === "asked" ? <AskedStep asked={step.asked} onDone={goOn} /> : null}
        {step.kind === "forgotten" ? (
          <ForgottenStep
            email={email}
            onEmail={setEmail}
            onSent={() => setStep({ kind: "reset", email })}
            onBack={() => setStep({ kind: "password" })}
          />
        ) : null}
        {step.kind === "reset" ? (
          <ResetStep
            email={step.email}
            onDone={() => setStep({ kind: "password", told: words.session.resetDone })}
            onBack={() => setStep({ kind: "password" })}
          />
        ) : null}
      </main>
      <footer className={styles.footer}>
        <Appearance />
      </footer>
    </div>
  );
}

/** That the sign-out has not reached the server; it is tried again by hand, and by itself when the browser is online. */
function UnendedNote() {
  const words = useWords();
  const { end } = useSession();
  const [busy, setBusy] = useState(false);
  const again = async () => {
    if (busy) return;
    setBusy(true);
    await end();
    setBusy(false);
  };
  // The button goes with the note once it has succeeded: the focus stays on the page.
  const note = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = note.current;
    return () => {
      if (element?.contains(document.activeElement)) document.querySelector<HTMLElement>("main input")?.focus();
    };
  }, []);
  return (
    <div ref={note} className={styles.unended}>
      <p role="alert">{words.session.unended}</p>
      <Button busy={busy} onClick={() => void again()}>
        {words.common.tryAgain}
      </Button>
    </div>
  );
}

interface FormProps {
  title: string;
  opening?: string | undefined;
  button: string;
  submit: () => Promise<void>;
  children: ReactNode;
  beneath?: ReactNode;
}

/** A form of one step: it says what has failed, and takes one answer at a time. */
function StepForm({ title, opening, button, submit, children, beneath }: FormProps) {
  const words = useWords();
  const [failure, setFailure] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setFailure(null);
    submit()
      .catch(setFailure)
      .finally(() => setBusy(false));
  };
  return (
    <form className={styles.form} onSubmit={onSubmit}>
      <h1>{title}</h1>
      {opening ? <p className={styles.opening}>{opening}</p> : null}
      {children}
      <div role="alert">{failure ? <p className={styles.problem}>{toldFailure(words, failure)}</p> : null}</div>
      <Button type="submit" kind="main" busy={busy}>
        {button}
      </Button>
      {beneath}
    </form>
  );
}

interface PasswordStepProps {
  email: string;
  onEmail: (email: string) => void;
  told: string | undefined;
  onDone: (outcome: SignedIn) => void;
  onForgotten: () => void;
}

function PasswordStep({ email, onEmail, told, onDone, onForgotten }: PasswordStepProps) {
  const words = useWords();
  const [password, setPassword] = useState("");
  return (
    <StepForm
      title={words.session.title}
      opening={told ?? words.session.opening}
      button={words.session.signIn}
      submit={async () => onDone(await signIn(email.trim(), password))}
      beneath={
        <Button kind="quiet" onClick={onForgotten}>
          {words.session.forgotten}
        </Button>
      }
    >
      <AddressField value={email} onChange={onEmail} />
      <PasswordField
        label={words.session.password}
        name="password"
        autoComplete="current-password"
        required
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
    </StepForm>
  );
}

function AskedStep({ asked, onDone }: { asked: Challenge; onDone: (outcome: SignedIn) => void }) {
  const words = useWords();
  const [answer, setAnswer] = useState("");
  const submit = async () => onDone(await answerChallenge(asked, answer.trim()));
  if (asked.challenge === "code") {
    return (
      <StepForm
        title={words.session.codeTitle}
        opening={words.session.codeOpening}
        button={words.session.confirm}
        submit={submit}
      >
        <CodeField value={answer} onChange={setAnswer} />
      </StepForm>
    );
  }
  return (
    <StepForm
      title={words.session.newPasswordTitle}
      opening={words.session.newPasswordOpening}
      button={words.session.setPassword}
      submit={async () => onDone(await answerChallenge(asked, answer))}
    >
      <NewPasswordField value={answer} onChange={setAnswer} />
    </StepForm>
  );
}

interface ForgottenStepProps {
  email: string;
  onEmail: (email: string) => void;
  onSent: () => void;
  onBack: () => void;
}

function ForgottenStep({ email, onEmail, onSent, onBack }: ForgottenStepProps) {
  const words = useWords();
  return (
    <StepForm
      title={words.session.resetTitle}
      opening={words.session.resetOpening}
      button={words.session.sendCode}
      submit={async () => {
        await sendResetCode(email.trim());
        onSent();
      }}
      beneath={
        <Button kind="quiet" onClick={onBack}>
          {words.session.backToSignIn}
        </Button>
      }
    >
      <AddressField value={email} onChange={onEmail} />
    </StepForm>
  );
}

function ResetStep({ email, onDone, onBack }: { email: string; onDone: () => void; onBack: () => void }) {
  const words = useWords();
  const [code, setCode] = useState("");
  const [password, setPassword] = useState("");
  return (
    <StepForm
      title={words.session.resetTitle}
      opening={words.session.resetSent(email)}
      button={words.session.setPassword}
      submit={async () => {
        await resetPassword(email.trim(), code.trim(), password);
        onDone();
      }}
      beneath={
        <Button kind="quiet" onClick={onBack}>
          {words.session.backToSignIn}
        </Button>
      }
    >
      <CodeField value={code} onChange={setCode} />
      <NewPasswordField value={password} onChange={setPassword} />
    </StepForm>
  );
}

function AddressField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const words = useWords();
  return (
    <TextField
      label={words.session.email}
      type="email"
      name="username"
      autoComplete="username"
      required
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

function CodeField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const words = useWords();
  return (
    <TextField
      label={words.session.code}
      inputMode="numeric"
      autoComplete="one-time-code"
      required
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

function NewPasswordField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const words = useWords();
  return (
    <PasswordField
      label={words.session.newPassword}
      hint={words.session.newPasswordHint}
      autoComplete="new-password"
      minLength={12}
      required
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
