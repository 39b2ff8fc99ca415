/**
 * The list of messages, of which only what is seen is drawn; each list is a component of its own (`key`).
 *
 * How many there are is not known before all are read, which is what aria-setsize -1 says (WAI-ARIA 1.2).
 */
import { defaultRangeExtractor, useVirtualizer } from "@tanstack/react-virtual";
import { ArrowUp } from "lucide-react";
import {
  type KeyboardEvent,
  type MouseEvent,
  type RefObject,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import type { MessageName, Summary } from "../../api/messages";
import { Button } from "../../controls/button";
import { useToday } from "../../controls/now";
import { Loading } from "../../controls/states";
import { useFormats } from "../../language/formats";
import { toldFailure, useWords } from "../../language/language";
import { go } from "../../shell/hash-route";
import styles from "./message-list.module.css";
import { MessageRow } from "./message-row";
import type { Reading } from "./reading";

const OVERSCAN = 8;
/** How many rows before the end the next page is asked for. */
const AHEAD = 70;
const ROW_REM = 4.125;
const ROW_WITH_ACCOUNT_REM = 5.375;

interface Props {
  reading: Reading;
  label: string;
  openId: string | null;
  addressOf: (name: MessageName) => string;
  isNew: (message: Summary) => boolean;
  /** By their ids; null where the list is of one account. */
  accountNames: ReadonlyMap<string, string> | null;
  /** The row that gets the focus, once. */
  focusId: string | null;
  onFocused: () => void;
  isSearch: boolean;
}

function useRemPixels(): number {
  const [pixels] = useState(() => Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16);
  return pixels;
}

export function MessageList(props: Props) {
  const { reading, label, openId, accountNames, focusId, onFocused } = props;
  const { rows } = reading;
  const today = useToday();
  const scroller = useRef<HTMLDivElement>(null);
  const rowHeight = Math.round(useRemPixels() * (accountNames ? ROW_WITH_ACCOUNT_REM : ROW_REM));
  const [activeId, setActiveId] = useState<string | null>(null);
  const wanted = useRef<string | null>(null);

  const reachableId = activeId ?? openId;
  const reachable = useMemo(
    () => (reachableId === null ? -1 : rows.findIndex(({ id }) => id === reachableId)),
    [rows, reachableId],
  );

  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => rows[index]?.id ?? index,
    overscan: OVERSCAN,
    // A row that has the focus stays, or the focus would be lost with it.
    rangeExtractor: useCallback(
      (range: Parameters<typeof defaultRangeExtractor>[0]) => {
        const shown = defaultRangeExtractor(range);
        if (reachable < 0 || shown.includes(reachable)) return shown;
        return [...shown, reachable].sort((one, other) => one - other);
      },
      [reachable],
    ),
  });
  const shown = virtualizer.getVirtualItems();
  const visible = virtualizer.range;

  const firstVisible = visible?.startIndex ?? 0;
  const [isStopped, setStopped] = useState(false);
  useReadAhead(reading, visible?.endIndex ?? 0, isStopped);
  const added = usePlaceKept(scroller, rows, firstVisible, rowHeight);

  // What is to have the focus gets it as soon as it is drawn.
  useLayoutEffect(() => {
    if (wanted.current === null) return;
    const row = scroller.current?.querySelector<HTMLElement>(`[data-message="${CSS.escape(wanted.current)}"]`);
    if (!row) return;
    wanted.current = null;
    row.focus({ preventScroll: true });
  });

  const focusRow = useCallback(
    (index: number) => {
      const row = rows[Math.max(0, Math.min(rows.length - 1, index))];
      if (!row) return;
      wanted.current = row.id;
      setActiveId(row.id);
      virtualizer.scrollToIndex(Math.max(0, Math.min(rows.length - 1, index)));
    },
    [rows, virtualizer],
  );

  useEffect(() => {
    if (focusId === null) return;
    const index = rows.findIndex(({ id }) => id === focusId);
    if (index >= 0) focusRow(index);
    onFocused();
  }, [focusId, rows, focusRow, onFocused]);

  // What is read one after the other stays in sight.
  const followed = useRef(openId);
  useEffect(() => {
    if (openId === null || followed.current === openId) return;
    followed.current = openId;
    const index = rows.findIndex(({ id }) => id === openId);
    if (index < 0) return;
    setActiveId(openId);
    virtualizer.scrollToIndex(index);
  }, [openId, rows, virtualizer]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const at = rows.findIndex(
      ({ id }) => id === (event.target as HTMLElement).closest<HTMLElement>("[data-message]")?.dataset.message,
    );
    if (at < 0) return;
    const to = { ArrowDown: at + 1, j: at + 1, ArrowUp: at - 1, k: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    focusRow(to);
  };

  // One listener follows every row's link; a row that had its own would cost too much while many come and go.
  const onClick = (event: MouseEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    const href = (event.target as HTMLElement).closest("a")?.getAttribute("href");
    if (!href) return;
    event.preventDefault();
    go(href.slice(1));
  };

  const isReachableShown = shown.some(({ index }) => index === reachable);
  return (
    <div className={styles.frame}>
      {added.count ? (
        <Button className={styles.added} onClick={added.toTop} icon={<ArrowUp size={16} aria-hidden="true" />}>
          <AddedWords count={added.count} />
        </Button>
      ) : null}
      <div className={styles.scroller} ref={scroller}>
        <ul
          // biome-ignore lint/a11y/noRedundantRoles: without markers, Safari takes a list for none.
          role="list"
          className={styles.rows}
          aria-label={label}
          style={{ height: virtualizer.getTotalSize() }}
          onKeyDown={onKeyDown}
          onClick={onClick}
          onFocus={(event) => {
            const id = (event.target as HTMLElement).closest<HTMLElement>("[data-message]")?.dataset.message;
            if (id && id !== activeId) setActiveId(id);
          }}
        >
          {shown.map(({ index, start }) => {
            const message = rows[index];
            if (!message) return null;
            return (
              <li
                key={message.id}
                className={styles.item}
                style={{ height: rowHeight, transform: `translateY(${start}px)` }}
                aria-posinset={index + 1}
                aria-setsize={reading.hasMore ? -1 : rows.length}
              >
                <MessageRow
                  message={message}
                  href={props.addressOf({ accountId: message.account_id, messageId: message.id })}
                  isNew={props.isNew(message)}
                  isOpen={message.id === openId}
                  isReachable={isReachableShown ? index === reachable : index === firstVisible}
                  today={today}
                  accountName={accountNames ? (accountNames.get(message.account_id) ?? "") : null}
                />
              </li>
            );
          })}
        </ul>
        <ListEnd reading={reading} isSearch={props.isSearch} isStopped={isStopped} onStop={setStopped} />
      </div>
    </div>
  );
}

/** Asks for the next page before its place is reached. */
function useReadAhead(reading: Reading, lastVisible: number, isStopped: boolean): void {
  const { rows, hasMore, isReadingMore, moreFailed, readMore } = reading;
  const isNear = lastVisible >= rows.length - AHEAD;
  // The number of rows is no condition, but a page may bring none, and then the next one is asked for.
  useEffect(() => {
    if (isNear && hasMore && !isReadingMore && !moreFailed && !isStopped) readMore();
  }, [isNear, hasMore, isReadingMore, moreFailed, isStopped, readMore]);
}

interface Added {
  /** How many have come above what is seen. */
  count: number;
  toTop: () => void;
}

/** Keeps what is being read where it is, while new mail comes above it. */
function usePlaceKept(
  scroller: RefObject<HTMLDivElement | null>,
  rows: readonly Summary[],
  firstVisible: number,
  rowHeight: number,
): Added {
  const [count, setCount] = useState(0);
  const anchor = useRef<{ rows: readonly Summary[]; index: number }>({ rows, index: firstVisible });
  useLayoutEffect(() => {
    const { rows: before, index } = anchor.current;
    const anchored = before[index];
    const element = scroller.current;
    if (element && before !== rows && anchored && rows[index]?.id !== anchored.id) {
      const shift = rows.findIndex(({ id }) => id === anchored.id) - index;
      // At the very top one sees what comes.
      if (shift > 0 && element.scrollTop > rowHeight / 2) {
        element.scrollTop += shift * rowHeight;
        setCount((now) => now + shift);
        anchor.current = { rows, index: index + shift };
        return;
      }
    }
    anchor.current = { rows, index: firstVisible };
  }, [rows, firstVisible, rowHeight, scroller]);
  useEffect(() => {
    if (count && firstVisible === 0) setCount(0);
  }, [count, firstVisible]);
  const toTop = useCallback(() => {
    scroller.current?.scrollTo({ top: 0 });
    setCount(0);
  }, [scroller]);
  return { count, toTop };
}

function AddedWords({ count }: { count: number }) {
  const words = useWords();
  const formats = useFormats();
  return words.mail.newAbove(formats.count(count));
}

interface EndProps {
  reading: Reading;
  isSearch: boolean;
  isStopped: boolean;
  onStop: (stopped: boolean) => void;
}

/** What stands beneath the last row: what is under way, how far a search has looked, that this is all. */
function ListEnd({ reading, isSearch, isStopped, onStop }: EndProps) {
  const words = useWords();
  const formats = useFormats();
  const { rows, hasMore, isReadingMore, moreFailed, searchedTo, readMore } = reading;
  const count = formats.count(rows.length);
  const reached = isSearch && searchedTo ? words.mail.searchedTo(formats.day(searchedTo)) : "";
  if (moreFailed) {
    return (
      <div className={styles.end} role="alert">
        <p>{toldFailure(words, moreFailed)}</p>
        <Button onClick={readMore}>{words.common.tryAgain}</Button>
      </div>
    );
  }
  if (!hasMore) {
    return rows.length ? (
      <p className={styles.end} role="status">
        {isSearch ? words.mail.found(count) : words.mail.listEnd(count)}
      </p>
    ) : null;
  }
  if (!isSearch) return isReadingMore ? <Loading label={words.mail.loadingMore} /> : <div className={styles.end} />;
  return (
    <div className={styles.end}>
      <p>{[isStopped ? words.mail.found(count) : words.mail.searching, reached].filter(Boolean).join(" · ")}</p>
      <Button kind="quiet" onClick={() => onStop(!isStopped)}>
        {isStopped ? words.mail.searchOn : words.mail.searchStop}
      </Button>
    </div>
  );
}
