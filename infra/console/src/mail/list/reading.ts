/** The list of a scope as it is read: page by page, ahead of the eye, with what is new put on its top. */
import { type InfiniteData, useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { listQuery, type Page, readPage, type Scope, type Search, type Summary } from "../../api/messages";
import { isNarrowed } from "../route";

const PAGE = 100;
/** Where somebody scrolls through faster than pages come, each brings more. */
const LARGEST_PAGE = 200;
const FAST_MS = 1_500;
const LOOK_MS = 30_000;
const MOST_PAGES_OF_NEW = 4;

type Pages = InfiniteData<Page, string | null>;

export interface Reading {
  rows: readonly Summary[];
  isLoading: boolean;
  failure: unknown;
  /** Whether there is more to read, whether it is being read, and why it was not. */
  hasMore: boolean;
  isReadingMore: boolean;
  moreFailed: unknown;
  /** How far back a search has looked; null once it has looked at all. */
  searchedTo: string | null;
  readMore: () => void;
  /** Read what is new, onto the top of what is there. */
  refresh: () => Promise<void>;
  retry: () => void;
}

/** `signal` is whatever changes when there may be something new. */
export function useReading(scope: Scope, search: Search, signal: string): Reading {
  const cache = useQueryClient();
  const readAt = useRef(0);
  const limit = useRef(PAGE);
  const query = useMemo(() => listQuery(scope, search, () => limit.current), [scope, search]);
  const {
    data,
    dataUpdatedAt,
    error,
    isPending,
    hasNextPage,
    isFetchingNextPage,
    isFetchNextPageError,
    fetchNextPage,
    refetch,
  } = useInfiniteQuery(query);

  const rows = useMemo(() => data?.pages.flatMap((page) => page.messages) ?? [], [data]);

  const readMore = useCallback(() => {
    const now = Date.now();
    limit.current = now - readAt.current < FAST_MS ? LARGEST_PAGE : PAGE;
    readAt.current = now;
    void fetchNextPage({ cancelRefetch: false });
  }, [fetchNextPage]);

  const looking = useRef<Promise<void> | null>(null);
  const refresh = useCallback(() => {
    const look = async () => {
      const known = cache.getQueryData<Pages>(query.queryKey);
      if (!known) return;
      const newest = await readUntilKnown(scope, search, known);
      cache.setQueryData<Pages>(query.queryKey, (now) => now && withNewest(now, newest));
    };
    looking.current ??= look().finally(() => {
      looking.current = null;
    });
    return looking.current;
  }, [cache, query, scope, search]);

  const ready = data !== undefined;
  const readLast = useRef(dataUpdatedAt);
  readLast.current = dataUpdatedAt;
  const [seen, setSeen] = useState(signal);
  useEffect(() => {
    if (!ready || signal === seen) return;
    setSeen(signal);
    refresh().catch(() => undefined);
  }, [ready, signal, seen, refresh]);
  useEffect(() => {
    if (!ready) return;
    const look = () => {
      // Whether it fails is told by the accounts, which are read as often.
      if (document.visibilityState === "visible") refresh().catch(() => undefined);
    };
    // A list that was read before, and is shown again.
    if (Date.now() - readLast.current > LOOK_MS / 3) look();
    const timer = window.setInterval(look, LOOK_MS);
    document.addEventListener("visibilitychange", look);
    return () => {
      window.clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, [ready, refresh]);

  return {
    rows,
    isLoading: isPending,
    failure: data ? null : error,
    hasMore: hasNextPage,
    isReadingMore: isFetchingNextPage,
    moreFailed: isFetchNextPageError ? error : null,
    searchedTo: data?.pages.at(-1)?.searched_to ?? null,
    readMore,
    refresh,
    retry: useCallback(() => void refetch(), [refetch]),
  };
}

interface Newest {
  messages: readonly Summary[];
  cursor: string | null;
}

/** The newest messages, down to one that is known. */
async function readUntilKnown(scope: Scope, search: Search, known: Pages): Promise<Newest> {
  const ids = idsOf(known);
  const messages: Summary[] = [];
  let cursor: string | null = null;
  for (let read = 0; read < MOST_PAGES_OF_NEW; read += 1) {
    const page: Page = await readPage(scope, search, { cursor, limit: read ? LARGEST_PAGE : PAGE });
    messages.push(...page.messages);
    cursor = page.cursor;
    if (!cursor || !ids.size || isNarrowed(search) || messages.some((message) => ids.has(message.id))) break;
  }
  return { messages, cursor };
}

/**
 * What is known, with what is new on its top; the list begins anew where so much is new that the two do not meet.
 *
 * A message that was collected late stands where its arrival puts it, which may be between messages that are known.
 */
export function withNewest(known: Pages, { messages, cursor }: Newest): Pages {
  const ids = idsOf(known);
  const missing = messages.filter((message) => !ids.has(message.id));
  if (missing.length === messages.length && messages.length >= PAGE) {
    return { pages: [{ messages: [...messages], cursor, searched_to: null }], pageParams: [null] };
  }
  // A stored message never changes, but for what becomes of one that is being sent.
  const deliveries = new Map(messages.flatMap(({ id, delivery }) => (delivery ? [[id, delivery] as const] : [])));
  const isOutdated = ({ id, delivery }: Summary) => deliveries.has(id) && deliveries.get(id) !== delivery;
  const updated = (message: Summary) =>
    isOutdated(message) ? { ...message, delivery: deliveries.get(message.id) ?? null } : message;
  const pages = known.pages.map((page) =>
    page.messages.some(isOutdated) ? { ...page, messages: page.messages.map(updated) } : page,
  );
  const first = pages[0];
  if (first && missing.length) pages[0] = { ...first, messages: inOrder([...missing, ...first.messages]) };
  return pages.some((page, index) => page !== known.pages[index]) ? { ...known, pages } : known;
}

function idsOf(known: Pages): Set<string> {
  return new Set(known.pages.flatMap((page) => page.messages.map((message) => message.id)));
}

/** Newest first, by what orders the list at the server. */
function inOrder(messages: Summary[]): Summary[] {
  const at = (message: Summary) => Date.parse(message.arrived ?? message.dated ?? message.stored_at);
  return messages.toSorted((one, other) => at(other) - at(one) || (one.id < other.id ? 1 : -1));
}
