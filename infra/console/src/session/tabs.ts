/**
 * What the tabs of this browser have in common: one session, by a cookie that no script sees, and its end.
 *
 * A sign-out that the server has not answered is kept in the browser until it has, or until somebody signs in: neither
 * closing the tab nor loading it anew brings back who wanted to go.
 */

export type Told =
  /** This person has signed out, and nothing of theirs is to stay in any tab. */
  | { kind: "left"; email: string }
  /** The server was not reached: the browser may still be signed in. */
  | { kind: "unended" }
  /** It is no more: the session has ended, or somebody else's has taken its place. */
  | { kind: "settled" };

const CHANNEL = "popfetch.session";
const UNENDED = "popfetch.unended";

let channel: BroadcastChannel | null = null;

/** Hear what other tabs tell; what it returns ends that. */
export function hearTabs(hear: (told: Told) => void): () => void {
  const opened = new BroadcastChannel(CHANNEL);
  opened.onmessage = ({ data }: MessageEvent<Told>) => hear(data);
  channel = opened;
  return () => {
    opened.close();
    if (channel === opened) channel = null;
  };
}

/** Tell the other tabs. */
export function tellTabs(told: Told): void {
  channel?.postMessage(told);
}

/** Whether somebody has signed out here and the server has not said yes to it. */
export function isUnended(): boolean {
  return localStorage.getItem(UNENDED) !== null;
}

/** Keep that somebody has signed out, until the server has ended the session. */
export function keepUnended(): void {
  localStorage.setItem(UNENDED, "yes");
}

/** There is no session any more that was to be ended. */
export function settle(): void {
  if (!isUnended()) return;
  localStorage.removeItem(UNENDED);
  tellTabs({ kind: "settled" });
}
