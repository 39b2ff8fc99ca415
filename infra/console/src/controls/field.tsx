/** Labelled fields: their hint and what is wrong with them are read with them. */
import { Eye, EyeOff } from "lucide-react";
import { type InputHTMLAttributes, type ReactNode, type SelectHTMLAttributes, useId, useState } from "react";
import { useWords } from "../language/language";
import { IconButton } from "./button";
import styles from "./field.module.css";

interface Frame {
  label: ReactNode;
  hint?: ReactNode;
  /** What is wrong with what was entered; nothing where nothing is. */
  problem?: string | undefined;
}

interface Described {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": true | undefined;
}

/** The frame of a field; `children` draws the field itself with what ties it to its label. */
export function Field({ label, hint, problem, children }: Frame & { children: (described: Described) => ReactNode }) {
  const id = useId();
  const described = [hint ? `${id}-hint` : "", problem ? `${id}-problem` : ""].filter(Boolean).join(" ");
  return (
    <div className={styles.field}>
      <label className={styles.label} htmlFor={id}>
        {label}
      </label>
      {children({ id, "aria-describedby": described || undefined, "aria-invalid": problem ? true : undefined })}
      {hint ? (
        <p className={styles.hint} id={`${id}-hint`}>
          {hint}
        </p>
      ) : null}
      {problem ? (
        <p className={styles.problem} id={`${id}-problem`} role="alert">
          {problem}
        </p>
      ) : null}
    </div>
  );
}

type InputProps = Frame & Omit<InputHTMLAttributes<HTMLInputElement>, "id">;

/** A line of text. */
export function TextField({ label, hint, problem, ...rest }: InputProps) {
  return (
    <Field label={label} hint={hint} problem={problem}>
      {(described) => <input className={styles.input} {...described} {...rest} />}
    </Field>
  );
}

/** A password, which can be shown. */
export function PasswordField({ label, hint, problem, ...rest }: InputProps) {
  const words = useWords();
  const [shown, setShown] = useState(false);
  return (
    <Field label={label} hint={hint} problem={problem}>
      {(described) => (
        <div className={styles.withButton}>
          <input
            className={styles.input}
            type={shown ? "text" : "password"}
            autoCapitalize="none"
            autoCorrect="off"
            spellCheck={false}
            {...described}
            {...rest}
          />
          <IconButton
            label={shown ? words.session.hidePassword : words.session.showPassword}
            onClick={() => setShown(!shown)}
          >
            {shown ? <EyeOff size={18} aria-hidden="true" /> : <Eye size={18} aria-hidden="true" />}
          </IconButton>
        </div>
      )}
    </Field>
  );
}

type SelectProps = Frame & Omit<SelectHTMLAttributes<HTMLSelectElement>, "id">;

/** One of several. */
export function SelectField({ label, hint, problem, children, ...rest }: SelectProps) {
  return (
    <Field label={label} hint={hint} problem={problem}>
      {(described) => (
        <select className={styles.input} {...described} {...rest}>
          {children}
        </select>
      )}
    </Field>
  );
}
