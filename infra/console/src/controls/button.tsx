import type { ButtonHTMLAttributes, ReactNode } from "react";
import styles from "./button.module.css";

type Kind = "main" | "plain" | "quiet" | "danger";

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: Kind;
  /** While it works, it says so and takes no second click. */
  busy?: boolean;
  icon?: ReactNode;
}

/** A button with words. */
export function Button({ kind = "plain", busy = false, icon, children, className, disabled, ...rest }: Props) {
  return (
    <button
      type="button"
      className={[styles.button, styles[kind], className].filter(Boolean).join(" ")}
      aria-busy={busy || undefined}
      disabled={disabled || busy}
      {...rest}
    >
      {busy ? <span className={styles.spinner} aria-hidden="true" /> : icon}
      {children}
    </button>
  );
}

interface IconProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** What it does; it is said and shown on hover. */
  label: string;
  children: ReactNode;
}

/** A button that is a picture, with its name said. */
export function IconButton({ label, children, className, ...rest }: IconProps) {
  return (
    <button
      type="button"
      className={[styles.icon, className].filter(Boolean).join(" ")}
      aria-label={label}
      title={label}
      {...rest}
    >
      {children}
    </button>
  );
}
