/** Who is signed in: found at the start by the browser's cookie, ended by signing out, in any tab, or by Cognito. */
import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from "react";
import { endSession, renewSession } from "../api/session";
import { holdTokens, renewTokensBy, type Tokens } from "../api/tokens";
import { useNotices } from "../controls/notices";
import { useWords } from "../language/language";
import { hearTabs, isUnended, keepUnended, settle, tellTabs } from "./tabs";

type State =
  | { kind: "looking" }
  | { kind: "unreachable" }
  /** `ended`: without being asked for. `unended`: the server was not reached, and may take the browser for signed in. */
  | { kind: "signedOut"; ended: boolean; unended: boolean }
  | { kind: "signedIn"; email: string };

interface Session {
  state: State;
  enter: (tokens: Tokens) => void;
  /** Sign out: here and in all tabs at once, at the server as soon as it is reached. */
  leave: () => Promise<void>;
  /** Try once more to end a session that was left. */
  end: () => Promise<void>;
  look: () => void;
}

/** How long the server may take to end a session; a function that sleeps is up sooner. */
const ENDING_MS = 30_000;
const OUT = { kind: "signedOut", ended: false, unended: false } as const satisfies State;

const Context = createContext<Session | null>(null);

export function SessionProvider({ children }: { children: ReactNode }) {
  const [state, setState] = useState<State>({ kind: "looking" });
  const cache = useQueryClient();
  const { forget } = useNotices();
  const words = useWords().session;
  const email = useRef<string | null>(null);
  /** Of looking who is signed in, only the last counts, and none that somebody has signed in or out since. */
  const looks = useRef(0);
  const ending = useRef<AbortController | null>(null);

  const stopEnding = useCallback(() => {
    ending.current?.abort();
    ending.current = null;
  }, []);

  const enter = useCallback(
    (tokens: Tokens) => {
      // The cookie is theirs now: ending whose it was before would end their session.
      stopEnding();
      settle();
      looks.current += 1;
      holdTokens(tokens);
      email.current = tokens.email;
      setState({ kind: "signedIn", email: tokens.email });
    },
    [stopEnding],
  );

  // What was read and told is for nobody who comes after.
  const forgetRead = useCallback(() => {
    looks.current += 1;
    email.current = null;
    holdTokens(null);
    cache.clear();
    forget();
  }, [cache, forget]);

  // Nor is what was begun to write.
  const forgetAll = useCallback(() => {
    forgetRead();
    sessionStorage.clear();
  }, [forgetRead]);

  const end = useCallback(async () => {
    if (ending.current) return;
    // Another tab has ended it, or somebody has signed in there.
    if (!isUnended()) {
      setState(OUT);
      return;
    }
    const given = new AbortController();
    ending.current = given;
    const timer = window.setTimeout(() => given.abort(), ENDING_MS);
    const isEnded = await endSession(given.signal).then(
      () => true,
      () => false,
    );
    window.clearTimeout(timer);
    if (ending.current !== given) return;
    ending.current = null;
    if (isEnded) settle();
    else tellTabs({ kind: "unended" });
    setState({ ...OUT, unended: !isEnded });
  }, []);

  const leave = useCallback(async () => {
    tellTabs({ kind: "left", email: email.current ?? "" });
    keepUnended();
    forgetAll();
    // Nobody signs in before this is answered: an answer that came later would take their cookie away.
    setState({ kind: "looking" });
    await end();
  }, [end, forgetAll]);

  const look = useCallback(() => {
    setState({ kind: "looking" });
    if (isUnended()) {
      void end();
      return;
    }
    looks.current += 1;
    const mine = looks.current;
    const told = (what: () => void) => {
      if (looks.current === mine) what();
    };
    renewSession().then(
      (tokens) => told(() => (tokens ? enter(tokens) : setState(OUT))),
      () => told(() => setState({ kind: "unreachable" })),
    );
  }, [end, enter]);

  useEffect(() => {
    renewTokensBy(renewSession, (tokens) => {
      if (tokens) {
        // In another tab of this browser, where somebody else has signed in.
        forgetAll();
        enter(tokens);
        forget(words.another(tokens.email));
      } else {
        forgetRead();
        setState({ ...OUT, ended: true });
      }
    });
  }, [enter, forget, forgetAll, forgetRead, words]);

  useEffect(
    () =>
      hearTabs((told) => {
        if (told.kind === "left") {
          if (ending.current) return;
          // The session was this browser's. Somebody else finds what they have begun when they sign in again.
          const isOther = email.current !== null && email.current !== told.email;
          if (isOther) forgetRead();
          else forgetAll();
          setState({ ...OUT, ended: isOther });
          return;
        }
        if (told.kind === "settled" && ending.current) {
          stopEnding();
          setState(OUT);
        } else setState((now) => (now.kind === "signedOut" ? { ...now, unended: told.kind === "unended" } : now));
      }),
    [forgetAll, forgetRead, stopEnding],
  );

  const isUnendedHere = state.kind === "signedOut" && state.unended;
  useEffect(() => {
    if (!isUnendedHere) return;
    const again = () => void end();
    addEventListener("online", again);
    return () => removeEventListener("online", again);
  }, [isUnendedHere, end]);

  useEffect(look, [look]);

  const session = useMemo(() => ({ state, enter, leave, end, look }), [state, enter, leave, end, look]);
  return <Context value={session}>{children}</Context>;
}

/** The session, and how to enter and leave it. */
export function useSession(): Session {
  const session = useContext(Context);
  if (!session) throw new Error("There is no SessionProvider around this.");
  return session;
}
