/** The language that the console speaks: the person's choice, else the browser's. */
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { ApiFailure } from "../api/client";
import { english } from "./english";
import { vietnamese } from "./vietnamese";
import type { Words } from "./words";

export type Tag = "en" | "vi";

export const languages: Record<Tag, Words> = { en: english, vi: vietnamese };

const STORED = "popfetch.language";

interface Speaking {
  words: Words;
  tag: Tag;
  speak: (tag: Tag) => void;
}

const Context = createContext<Speaking | null>(null);

/** The language to begin with. */
export function firstLanguage(stored: string | null, wanted: readonly string[]): Tag {
  if (stored === "en" || stored === "vi") return stored;
  for (const tag of wanted) {
    const primary = tag.split("-")[0]?.toLowerCase();
    if (primary === "vi" || primary === "en") return primary;
  }
  return "en";
}

/** Speaks the chosen language to everything inside. */
export function LanguageProvider({ children }: { children: ReactNode }) {
  const [tag, speak] = useState(() => firstLanguage(localStorage.getItem(STORED), navigator.languages));
  useEffect(() => {
    document.documentElement.lang = tag;
    localStorage.setItem(STORED, tag);
  }, [tag]);
  const speaking = useMemo(() => ({ words: languages[tag], tag, speak }), [tag]);
  return <Context value={speaking}>{children}</Context>;
}

/** The language that is spoken, and how to change it. */
export function useLanguage(): Speaking {
  const speaking = useContext(Context);
  if (!speaking) throw new Error("There is no LanguageProvider around this.");
  return speaking;
}

/** The words of the language that is spoken. */
export function useWords(): Words {
  return useLanguage().words;
}

/** What a failure means, in the language that is spoken. */
export function toldFailure(words: Words, failure: unknown): string {
  if (!(failure instanceof ApiFailure)) return words.failures.internal;
  // The same word is used for popfetch's own sign-in and for one that was tried at a mail server.
  const code = "direction" in failure.details ? `trial_${failure.code}` : failure.code;
  return toldCode(words, code, failure.message);
}

/** What one of the API's codes means; without words for it here, the API's own sentence. */
export function toldCode(words: Words, code: string, message: string): string {
  const known: Record<string, string | undefined> = words.failures;
  return known[code] ?? message;
}
