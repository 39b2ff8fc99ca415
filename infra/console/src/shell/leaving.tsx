/** Leaving a page that has unsaved changes: it is asked about, whichever way the page is left. */
import { type ReactNode, useEffect, useState } from "react";
import type { AroundNavHandler } from "wouter";
import { Button } from "../controls/button";
import { Actions, Dialog } from "../controls/dialog";
import { useWords } from "../language/language";
import { go } from "./hash-route";

interface Guard {
  href: string;
  ask: (leave: () => void) => void;
}

let guard: Guard | null = null;

function onWayBack(event: Event): void {
  if (!guard || !event.isTrusted || location.href === guard.href) return;
  event.stopImmediatePropagation();
  const wanted = location.hash.slice(1) || "/";
  history.pushState(null, "", guard.href);
  guard.ask(() => go(wanted));
}

// Here, before anything is drawn, so that whoever draws the route hears of it later.
addEventListener("popstate", onWayBack);
addEventListener("hashchange", onWayBack);
addEventListener("beforeunload", (event) => {
  if (guard) event.preventDefault();
});

/** Whether the page has changes that are not saved. */
export function hasUnsaved(): boolean {
  return guard !== null;
}

/** Goes where a link leads, once it was asked about what is unsaved; for wouter's router. */
export const askFirst: AroundNavHandler = (navigate, to, options) => {
  if (guard) guard.ask(() => navigate(to, options));
  else navigate(to, options);
};

/** Asks before the page is left while `unsaved`; what it returns is the question, to be drawn in the page. */
export function useUnsaved(unsaved: boolean): ReactNode {
  const words = useWords();
  const [leave, setLeave] = useState<(() => void) | null>(null);
  useEffect(() => {
    if (!unsaved) return;
    guard = { href: location.href, ask: (wanted) => setLeave(() => wanted) };
    return () => {
      guard = null;
    };
  }, [unsaved]);
  if (!leave) return null;
  const onLeave = () => {
    guard = null;
    setLeave(null);
    leave();
  };
  return (
    <Dialog title={words.common.unsavedTitle} onClose={() => setLeave(null)}>
      <p>{words.common.unsaved}</p>
      <Actions>
        <Button kind="danger" onClick={onLeave}>
          {words.common.leave}
        </Button>
        <Button kind="main" onClick={() => setLeave(null)}>
          {words.common.stay}
        </Button>
      </Actions>
    </Dialog>
  );
}
