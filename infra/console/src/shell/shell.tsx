/** What stays on every page: the way to the mail and the settings, language, theme, and the way out. */
import { Mail, Settings } from "lucide-react";
import type { ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { Appearance } from "../appearance/appearance";
import { useWords } from "../language/language";
import styles from "./shell.module.css";
import { SignOut } from "./sign-out";

export function Shell({ email, children }: { email: string; children: ReactNode }) {
  const words = useWords();
  const [path] = useLocation();
  const inSettings = path.startsWith("/settings");
  return (
    <div className={styles.shell}>
      {/* The address is the route, so that a link to a place on the page cannot be one. */}
      <button
        type="button"
        className={styles.skip}
        onClick={() => document.querySelector<HTMLElement>("main")?.focus({ preventScroll: false })}
      >
        {words.common.skipToMain}
      </button>
      <header className={styles.header}>
        <Link href="/mail" className={styles.product}>
          {words.common.product}
        </Link>
        <nav className={styles.nav} aria-label={words.common.product}>
          <Link href="/mail" className={styles.link} aria-current={inSettings ? undefined : "page"}>
            <Mail size={18} aria-hidden="true" />
            <span>{words.common.mail}</span>
          </Link>
          <Link href="/settings" className={styles.link} aria-current={inSettings ? "page" : undefined}>
            <Settings size={18} aria-hidden="true" />
            <span>{words.common.settings}</span>
          </Link>
        </nav>
        <div className={styles.end}>
          <div className={styles.appearance}>
            <Appearance />
          </div>
          <span className={styles.email} title={words.session.signedInAs(email)}>
            {email}
          </span>
          <SignOut />
        </div>
      </header>
      {children}
    </div>
  );
}
