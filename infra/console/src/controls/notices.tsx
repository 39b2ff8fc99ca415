/**
 * What was done or has failed, told where no field is near: shown for a while, and read out.
 *
 * Each is for who was there when its teller was given the word. What began for one person may end when another has come,
 * or nobody: then it is not heard.
 */
import { X } from "lucide-react";
import { createContext, type ReactNode, useCallback, useContext, useMemo, useRef, useState } from "react";
import { toldFailure, useWords } from "../language/language";
import { IconButton } from "./button";
import styles from "./notices.module.css";

type Tone = "good" | "bad" | "plain";

interface Notice {
  id: number;
  tone: Tone;
  text: string;
}

interface Telling {
  tell: (text: string, tone?: Tone) => void;
  tellFailure: (failure: unknown) => void;
  /** Nothing of it, and nothing that who is here now has begun, is for whoever comes after; `told` alone is. */
  forget: (told?: string) => void;
}

const SHOWN_MS = 8_000;
const Context = createContext<Telling | null>(null);

export function NoticesProvider({ children }: { children: ReactNode }) {
  const words = useWords();
  const [notices, setNotices] = useState<Notice[]>([]);
  const next = useRef(0);
  // Raised at once, so that nobody of before is heard until everybody has the word anew.
  const epoch = useRef(0);
  const [present, setPresent] = useState(0);
  const dismiss = useCallback((id: number) => setNotices((all) => all.filter((one) => one.id !== id)), []);
  const show = useCallback(
    (text: string, tone: Tone = "plain") => {
      next.current += 1;
      const id = next.current;
      setNotices((all) => [...all.slice(-3), { id, tone, text }]);
      // What went wrong stays until it is dismissed: it must not vanish before it is read.
      if (tone !== "bad") window.setTimeout(() => dismiss(id), SHOWN_MS);
    },
    [dismiss],
  );
  const forget = useCallback(
    (told?: string) => {
      epoch.current += 1;
      setPresent(epoch.current);
      setNotices([]);
      if (told) show(told);
    },
    [show],
  );
  const tell = useCallback(
    (text: string, tone?: Tone) => {
      if (present === epoch.current) show(text, tone);
    },
    [present, show],
  );
  const telling = useMemo(
    () => ({ tell, tellFailure: (failure: unknown) => tell(toldFailure(words, failure), "bad"), forget }),
    [tell, words, forget],
  );
  return (
    <Context value={telling}>
      {children}
      <section className={styles.notices} aria-label={words.common.notices}>
        <div role="status" aria-live="polite">
          {notices.map((notice) => (
            <div key={notice.id} className={`${styles.notice} ${styles[notice.tone]}`}>
              <p>{notice.text}</p>
              <IconButton label={words.common.dismiss} onClick={() => dismiss(notice.id)}>
                <X size={16} aria-hidden="true" />
              </IconButton>
            </div>
          ))}
        </div>
      </section>
    </Context>
  );
}

/** How to tell something to whoever is at the screen. */
export function useNotices(): Telling {
  const telling = useContext(Context);
  if (!telling) throw new Error("There is no NoticesProvider around this.");
  return telling;
}
