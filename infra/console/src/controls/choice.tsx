/** Choices that stand in view: one of several, or yes and no. */
import { type InputHTMLAttributes, type ReactNode, useId } from "react";
import styles from "./choice.module.css";

interface ChoiceProps extends Omit<InputHTMLAttributes<HTMLInputElement>, "id"> {
  type: "radio" | "checkbox";
  label: ReactNode;
  hint?: ReactNode;
}

/** One radio button or checkbox with its label. */
export function Choice({ label, hint, ...rest }: ChoiceProps) {
  const id = useId();
  return (
    <div className={styles.choice}>
      <input id={id} className={styles.box} aria-describedby={hint ? `${id}-hint` : undefined} {...rest} />
      <label htmlFor={id} className={styles.label}>
        {label}
      </label>
      {hint ? (
        <p className={styles.hint} id={`${id}-hint`}>
          {hint}
        </p>
      ) : null}
    </div>
  );
}

/** Choices that belong together, under the question that they answer. */
export function Choices({ legend, children }: { legend: ReactNode; children: ReactNode }) {
  return (
    <fieldset className={styles.choices}>
      <legend className={styles.legend}>{legend}</legend>
      {children}
    </fieldset>
  );
}
