/**
 * Buttons.
 *
 * One that works, or that has nothing to do just now, keeps the focus: the browser takes it from a disabled one, and
 * whoever goes by keyboard is back at the page's beginning. So `busy` and `aria-disabled` say so and refuse the press,
 * also the one that Enter in a form's field makes of its submitting button; `disabled` is for what nobody has pressed.
 */
import type { ButtonHTMLAttributes, MouseEvent, ReactNode, Ref } from "react";
import styles from "./button.module.css";

interface BareProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** While it works, it says so and takes no second click. */
  busy?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

/** A button without any looks. */
export function BareButton({ busy = false, "aria-disabled": off, onClick, ...rest }: BareProps) {
  const isOff = busy || off === true || off === "true";
  return (
    <button
      type="button"
      aria-busy={busy || undefined}
      aria-disabled={isOff || undefined}
      onClick={isOff ? refuse : onClick}
      {...rest}
    />
  );
}

/** Nothing comes of the press, the form's submission neither. */
function refuse(event: MouseEvent) {
  event.preventDefault();
}

type Kind = "main" | "plain" | "quiet" | "danger";

interface Props extends BareProps {
  kind?: Kind;
  icon?: ReactNode;
}

/** A button with words. */
export function Button({ kind = "plain", icon, children, className, ...rest }: Props) {
  return (
    <BareButton className={[styles.button, styles[kind], className].filter(Boolean).join(" ")} {...rest}>
      {rest.busy ? <span className={styles.spinner} aria-hidden="true" /> : icon}
      {children}
    </BareButton>
  );
}

interface IconProps extends BareProps {
  /** What it does; it is said and shown on hover. */
  label: string;
  children: ReactNode;
}

/** A button that is a picture, with its name said. */
export function IconButton({ label, children, className, ...rest }: IconProps) {
  return (
    <BareButton
      className={[styles.icon, className].filter(Boolean).join(" ")}
      aria-label={label}
      title={label}
      {...rest}
    >
      {children}
    </BareButton>
  );
}
