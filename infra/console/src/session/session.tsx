/** Who is signed in: found at the start by the browser's cookie, ended by signing out or by Cognito. */
import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from "react";
import { endSession, renewSession } from "../api/session";
import { holdTokens, renewTokensBy, type Tokens } from "../api/tokens";

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

  const enter = useCallback((tokens: Tokens) => {
    holdTokens(tokens);
    setState({ kind: "signedIn", email: tokens.email });
  }, []);

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
    cache.clear();
    // What this person has begun to write is for nobody who comes after.
    sessionStorage.clear();
    setState({ kind: "signedOut", ended: false });
  }, [cache]);

  useEffect(() => {
    renewTokensBy(async () => {
      const tokens = await renewSession();
      if (!tokens) {
        cache.clear();
        setState({ kind: "signedOut", ended: true });
      }
      return tokens;
    });
    look();
  }, [cache, look]);

  const session = useMemo(() => ({ state, enter, leave, look }), [state, enter, leave, look]);
  return <Context value={session}>{children}</Context>;
}

/** The session, and how to enter and leave it. */
export function useSession(): Session {
  const session = useContext(Context);
  if (!session) throw new Error("There is no SessionProvider around this.");
  return session;
}
