/**
 * The route is the hash of the address, its query included: `#/mail/all?q=invoice`.
 *
 * Wouter's own hook moves the query in front of the hash, where a link that is opened in a new tab does not have it.
 */
import { useSyncExternalStore } from "react";

interface Going {
  replace?: boolean;
  state?: unknown;
}

function subscribe(onChange: () => void): () => void {
  addEventListener("hashchange", onChange);
  addEventListener("popstate", onChange);
  return () => {
    removeEventListener("hashchange", onChange);
    removeEventListener("popstate", onChange);
  };
}

const route = () => location.hash.replace(/^#?\/?/, "/");
const path = () => route().split("?", 1)[0] ?? "/";
const query = () => route().slice(path().length + 1);

/** Go to a route. */
export function go(to: string, { replace = false, state = null }: Going = {}): void {
  const oldURL = location.href;
  const url = new URL(oldURL);
  url.hash = to;
  history[replace ? "replaceState" : "pushState"](state, "", url.href);
  dispatchEvent(new HashChangeEvent("hashchange", { oldURL, newURL: url.href }));
}

/** The path of the route, and how to go to another; a wouter hook. */
export function useHashRoute(): [string, typeof go] {
  return [useSyncExternalStore(subscribe, path), go];
}
useHashRoute.hrefs = (href: string) => `#${href}`;

/** The query of the route, without its question mark; a wouter hook too. */
export function useHashQuery(): string {
  return useSyncExternalStore(subscribe, query);
}
