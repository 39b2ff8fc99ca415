/** Who is signed in: found at the start by the browser's cookie, ended by signing out or by Cognito. */
import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from "react";
import { endSession, renewSession } from "../api/session";
import { holdTokens, renewTokensBy, type Tokens } from "../api/tokens";
import { useNotices } from "../controls/notices";
import { useWords } from "../language/language";

type State =
  | { kind: "looking" }
  | { kind: "unreachable" }
  | { kind: "signedOut"; ended: boolean }
  | { kind: "signedIn"; email: string };

interface Session {
  state: State;
  enter: (tokens: Tokens) => void;
  leave: () => Promise<void>;
  look: () => void;
}

const Context = createContext<Session | null>(null);

export function SessionProvider({ children }: { children: ReactNode }) {
  const [state, setState] = useState<State>({ kind: "looking" });
  const cache = useQueryClient();
  const { tell, forget } = useNotices();
  const words = useWords().session;

  const enter = useCallback((tokens: Tokens) => {
    holdTokens(tokens);
    setState({ kind: "signedIn", email: tokens.email });
  }, []);

  // What was read, begun to write and told is for nobody who comes after.
  const forgetAll = useCallback(() => {
    cache.clear();
    sessionStorage.clear();
    forget();
  }, [cache, forget]);

  const look = useCallback(() => {
    setState({ kind: "looking" });
    renewSession().then(
      (tokens) => (tokens ? enter(tokens) : setState({ kind: "signedOut", ended: false })),
      () => setState({ kind: "unreachable" }),
    );
  }, [enter]);

  const leave = useCallback(async () => {
    // Here it ends in any case; a server that does not answer ends it when the cookie does.
    await endSession().catch(() => undefined);
    holdTokens(null);
    forgetAll();
    setState({ kind: "signedOut", ended: false });
  }, [forgetAll]);

  useEffect(() => {
    renewTokensBy(renewSession, (tokens) => {
      if (tokens) {
        // In another tab of this browser, where somebody else has signed in.
        forgetAll();
        enter(tokens);
        tell(words.another(tokens.email));
      } else {
        holdTokens(null);
        cache.clear();
        forget();
        setState({ kind: "signedOut", ended: true });
      }
    });
  }, [cache, enter, forget, forgetAll, tell, words]);

  useEffect(look, [look]);

  const session = useMemo(() => ({ state, enter, leave, look }), [state, enter, leave, look]);
  return <Context value={session}>{children}</Context>;
}

/** The session, and how to enter and leave it. */
export function useSession(): Session {
  const session = useContext(Context);
  if (!session) throw new Error("There is no SessionProvider around this.");
  return session;
}
