/** The frame of the settings' pages: a column of sections under a title, and the boxes that stand out in it. */
import { ArrowLeft, CircleAlert, CircleCheck, Info, TriangleAlert } from "lucide-react";
import { type ComponentProps, type ReactNode, useEffect, useId, useRef } from "react";
import { Link } from "wouter";
import { Freshness } from "../freshness/freshness";
import { useWords } from "../language/language";
import styles from "./layout.module.css";

interface PageProps {
  title: string;
  opening?: ReactNode;
  /** Leads back to the list of accounts. */
  back?: boolean;
  action?: ReactNode;
  children: ReactNode;
}

export function Page({ title, opening, back = false, action, children }: PageProps) {
  const words = useWords();
  const main = useRef<HTMLElement>(null);
  // Whoever comes here from a link begins here, and not where the page before has left them.
  useEffect(() => {
    // Unless something on the page has taken the focus for a reason of its own.
    if (!main.current?.contains(document.activeElement)) main.current?.focus({ preventScroll: true });
  }, []);
  useEffect(() => {
    document.title = `${title} · ${words.common.product}`;
    return () => {
      document.title = words.common.product;
    };
  }, [title, words]);
  return (
    <main className={styles.page} ref={main} tabIndex={-1}>
      <Freshness />
      <div className={styles.column}>
        <header className={styles.top}>
          {back ? (
            <Link href="/settings" className={styles.back}>
              <ArrowLeft size={16} aria-hidden="true" />
              {words.settings.title}
            </Link>
          ) : null}
          <div className={styles.titleLine}>
            <h1>{title}</h1>
            {action}
          </div>
          {opening ? <p className={styles.soft}>{opening}</p> : null}
        </header>
        {children}
      </div>
    </main>
  );
}

interface SectionProps {
  title: string;
  opening?: ReactNode;
  children: ReactNode;
}

export function Section({ title, opening, children }: SectionProps) {
  const id = useId();
  return (
    <section className={styles.section} aria-labelledby={id}>
      <div className={styles.sectionHead}>
        <h2 id={id}>{title}</h2>
        {opening ? <p className={styles.soft}>{opening}</p> : null}
      </div>
      {children}
    </section>
  );
}

export type Tone = "good" | "plain" | "warn" | "bad";

const ICONS = { good: CircleCheck, plain: Info, warn: TriangleAlert, bad: CircleAlert };

interface BoxProps {
  tone: Tone;
  title?: string;
  /** Read out as soon as it is there. */
  live?: boolean;
  children?: ReactNode;
}

/** What stands out, with a sign beside its colour. */
export function Box({ tone, title, live = false, children }: BoxProps) {
  const Icon = ICONS[tone];
  return (
    <div
      className={[styles.box, styles[tone], title ? styles.titled : ""].join(" ")}
      role={live ? (tone === "bad" ? "alert" : "status") : undefined}
    >
      <Icon className={styles.sign} size={20} aria-hidden="true" />
      <div className={styles.boxBody}>
        {title ? <h2 className={styles.boxTitle}>{title}</h2> : null}
        {children}
      </div>
    </div>
  );
}

/** A form whose fields are checked by the console, so that what is wrong is told in its own language. */
export function Form(props: ComponentProps<"form">) {
  return <form className={styles.form} noValidate {...props} />;
}

/** Fields side by side where there is room. */
export function Fields({ children }: { children: ReactNode }) {
  return <div className={styles.fields}>{children}</div>;
}

/** Buttons in a line. */
export function Buttons({ children }: { children: ReactNode }) {
  return <div className={styles.buttons}>{children}</div>;
}

/** What somebody else said, in their words. */
export function Said({ children }: { children: ReactNode }) {
  const words = useWords();
  return (
    <p className={styles.said}>
      <span className={styles.saidBy}>{words.settings.serverSaid}</span> <q>{children}</q>
    </p>
  );
}

/** Words that step back. */
export function Soft({ children }: { children: ReactNode }) {
  return <p className={styles.soft}>{children}</p>;
}
