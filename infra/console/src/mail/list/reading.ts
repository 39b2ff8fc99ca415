/** The list of a scope as it is read: page by page, ahead of the eye, with what is new put on its top. */
import { type InfiniteData, useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef } from "react";
import { listQuery, type Page, readPage, type Scope, type Search, type Summary } from "../../api/messages";
import { isNarrowed } from "../route";

const PAGE = 100;
/** Where somebody scrolls through faster than pages come, each brings more. */
const LARGEST_PAGE = 200;
const FAST_MS = 1_500;
const LOOK_MS = 30_000;
const MOST_PAGES_OF_NEW = 4;

export type Pages = InfiniteData<Page, string | null>;

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
  /** Read anew what is there, with what has come since. */
  refresh: () => Promise<void>;
  retry: () => void;
}

/** `signal` is whatever changes when there may be something new. */
export function useReading(scope: Scope, search: Search, signal: string): Reading {
  const cache = useQueryClient();
  const readAt = useRef(0);
  const limit = useRef(PAGE);
  // The same list has the same query, whichever message of it is opened.
  const written = JSON.stringify(search);
  const [query, refreshed] = useMemo(() => {
    const same = JSON.parse(written) as Search;
    const list = listQuery(scope, same, () => limit.current);
    const read: Read = (cursor, most) => readPage(scope, same, { cursor, limit: most });
    const look = async (isWhole: boolean) => {
      const known = cache.getQueryData<Pages>(list.queryKey);
      if (!known) return;
      const newest = await readNewest(read, known, isWhole);
      // A page that is under way would bring the list back as it was.
      if (withNewest(known, newest) !== known) await cache.cancelQueries({ queryKey: list.queryKey, exact: true });
      cache.setQueryData<Pages>(list.queryKey, (now) => now && withNewest(now, newest));
    };
    return [list, inTurn(look)] as const;
  }, [cache, scope, written]);
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

  const refresh = useCallback(() => refreshed(true), [refreshed]);

  const ready = data !== undefined;
  const readLast = useRef(dataUpdatedAt);
  readLast.current = dataUpdatedAt;
  // Whether it fails is told above the list by the accounts, which are read as often.
  const seen = useRef({ query, signal });
  useEffect(() => {
    if (seen.current.query !== query) seen.current = { query, signal };
    if (!ready || seen.current.signal === signal) return;
    seen.current = { query, signal };
    refreshed(true).catch(() => undefined);
  }, [ready, query, signal, refreshed]);
  const isPlain = !isNarrowed(search);
  useEffect(() => {
    if (!ready) return;
    // A list that was read before, and is shown again.
    if (Date.now() - readLast.current > LOOK_MS / 3) refreshed(true).catch(() => undefined);
    // What a search has looked through is looked through again only when something has come.
    if (!isPlain) return;
    const look = () => {
      if (document.visibilityState === "visible") refreshed(false).catch(() => undefined);
    };
    const timer = window.setInterval(look, LOOK_MS);
    document.addEventListener("visibilitychange", look);
    return () => {
      window.clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, [ready, isPlain, refreshed]);

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

/** One look at a time: whoever asks while one is under way is answered by the next, which begins after they asked. */
export function inTurn(look: (isWhole: boolean) => Promise<void>): (isWhole: boolean) => Promise<void> {
  let underWay: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  let isNextWhole = false;
  const begin = () => {
    const isWhole = isNextWhole;
    isNextWhole = false;
    next = null;
    underWay = look(isWhole)
      .catch((failure: unknown) => {
        // What was missed is still to be read.
        isNextWhole ||= isWhole;
        throw failure;
      })
      .finally(() => {
        underWay = null;
      });
    return underWay;
  };
  return (isWhole) => {
    isNextWhole ||= isWhole;
    if (!underWay) return begin();
    next ??= underWay.then(begin, begin);
    return next;
  };
}

export type Read = (cursor: string | null, limit: number) => Promise<Page>;

/**
 * The newest messages without a gap, down to what is known.
 *
 * Where something may have come anywhere (`isWhole`), or something has come late, which shows among what is known, more
 * of it may stand further down: then all that is known is read anew.
 */
export async function readNewest(read: Read, known: Pages, isWhole: boolean): Promise<Page> {
  const rows = rowsOf(known);
  const [first] = rows;
  const end = rows.at(-1);
  const names = new Set(rows.map(nameOf));
  const hasEnded = known.pages.at(-1)?.cursor === null;
  const messages: Summary[] = [];
  let isAll = isWhole;
  let cursor: string | null = null;
  for (let pages = 1; ; pages += 1) {
    const page: Page = await read(cursor, isWhole || pages > 1 ? LARGEST_PAGE : PAGE);
    messages.push(...page.messages);
    cursor = page.cursor;
    const newest = { messages, cursor, searched_to: page.searched_to };
    if (cursor === null) return newest;
    const last = messages.at(-1);
    if (!first || !end) {
      if (last || !isWhole || !hasEnded) return newest;
    } else if (!last || isNewer(last, first)) {
      if (pages >= MOST_PAGES_OF_NEW) return newest;
    } else {
      isAll ||= page.messages.some((message) => isNewer(first, message) && !names.has(nameOf(message)));
      if (!isAll || !isNewer(last, end)) return newest;
    }
  }
}

/**
 * The list as it was read now, with what is known beneath it.
 *
 * It begins anew where what was read reaches as far as what is known, or where the two do not meet.
 */
export function withNewest(known: Pages, newest: Page): Pages {
  const rows = rowsOf(known);
  const [first] = rows;
  const before = new Map(rows.map((message) => [nameOf(message), message]));
  // A stored message never changes, but for what becomes of one that is being sent.
  const messages = newest.messages.map((message) => {
    const same = before.get(nameOf(message));
    return same?.delivery === message.delivery ? same : message;
  });
  const last = messages.at(-1);
  if (newest.cursor !== null && !last) return known;
  const isBeneath = (message: Summary) => newest.cursor !== null && last !== undefined && isNewer(last, message);
  const at = known.pages.findIndex(({ messages: those }) => those.some(isBeneath));
  const meeting = known.pages[at];
  const read =
    !meeting || !first || isBeneath(first)
      ? { pages: [{ ...newest, messages }], pageParams: [null] }
      : {
          pages: [
            { ...meeting, messages: [...messages, ...meeting.messages.filter(isBeneath)] },
            ...known.pages.slice(at + 1),
          ],
          pageParams: [null, ...known.pageParams.slice(at + 1)],
        };
  return isSame(rows, rowsOf(read)) && known.pages.at(-1)?.cursor === read.pages.at(-1)?.cursor ? known : read;
}

function rowsOf({ pages }: Pages): Summary[] {
  return pages.flatMap(({ messages }) => messages);
}

const nameOf = ({ id, account_id }: Summary) => `${account_id} ${id}`;

function isSame(one: readonly Summary[], other: readonly Summary[]): boolean {
  return one.length === other.length && one.every((message, at) => message === other[at]);
}

/** Whether a message stands before another, in the order of the server: undated ones have ids that stand last. */
function isNewer(one: Summary, other: Summary): boolean {
  return one.id === other.id ? one.account_id > other.account_id : one.id > other.id;
}
