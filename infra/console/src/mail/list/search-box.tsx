/** The search over the list: words, and on demand the fields beside them. The address keeps it. */
import { Search as Magnifier, SlidersHorizontal, X } from "lucide-react";
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import type { Kind, Search } from "../../api/messages";
import { Button, IconButton } from "../../controls/button";
import { SelectField, TextField } from "../../controls/field";
import { useFormats } from "../../language/formats";
import { useWords } from "../../language/language";
import { filtersOf, isNarrowed, NO_SEARCH } from "../route";
import styles from "./search-box.module.css";

const TYPING_MS = 450;
const KINDS: readonly Kind[] = ["all", "received", "sent"];

interface Props {
  search: Search;
  onSearch: (search: Search) => void;
}

export function SearchBox({ search, onSearch }: Props) {
  const words = useWords();
  const formats = useFormats();
  const id = useId();
  const box = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState(search);
  const [isOpen, setOpen] = useState(false);

  // The address may change without the keyboard: by going back, by a link. What is being typed stays.
  const sent = useRef(search);
  if (sent.current !== search && !same(sent.current, search)) {
    sent.current = search;
    setTyped(search);
  }
  useEffect(() => {
    if (same(typed, sent.current)) return;
    const timer = window.setTimeout(() => {
      sent.current = typed;
      onSearch(typed);
    }, TYPING_MS);
    return () => window.clearTimeout(timer);
  }, [typed, onSearch]);

  const now = (next: Search) => {
    setTyped(next);
    if (same(next, sent.current)) return;
    sent.current = next;
    onSearch(next);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !(isNarrowed(typed) || isOpen)) return;
    event.preventDefault();
    event.stopPropagation();
    if (isNarrowed(typed)) now(NO_SEARCH);
    else setOpen(false);
    box.current?.focus();
  };
  const filters = filtersOf(search);
  const field = (name: keyof Search) => ({
    value: typed[name],
    onChange: (event: { target: { value: string } }) => setTyped({ ...typed, [name]: event.target.value }),
  });
  return (
    <search className={styles.search} onKeyDown={onKeyDown}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          now(typed);
        }}
      >
        <div className={styles.line}>
          <Magnifier className={styles.magnifier} size={18} aria-hidden="true" />
          <input
            ref={box}
            className={styles.box}
            type="search"
            enterKeyHint="search"
            autoComplete="off"
            aria-label={words.mail.search}
            placeholder={words.mail.searchHint}
            {...field("q")}
          />
          {isNarrowed(typed) ? (
            <IconButton
              label={words.mail.searchClear}
              onClick={() => {
                now(NO_SEARCH);
                box.current?.focus();
              }}
            >
              <X size={18} aria-hidden="true" />
            </IconButton>
          ) : null}
          <IconButton
            label={filters ? words.mail.filtersSet(formats.count(filters)) : words.mail.filters}
            aria-expanded={isOpen}
            aria-controls={isOpen ? `${id}-fields` : undefined}
            onClick={() => setOpen(!isOpen)}
          >
            <SlidersHorizontal size={18} aria-hidden="true" />
            {filters ? <span className={styles.set} aria-hidden="true" /> : null}
          </IconButton>
        </div>
        {isOpen ? (
          <div id={`${id}-fields`} className={styles.fields}>
            <TextField label={words.mail.sender} type="text" autoComplete="off" {...field("sender")} />
            <TextField label={words.mail.subject} type="text" autoComplete="off" {...field("subject")} />
            <TextField label={words.mail.since} type="date" max={typed.before || undefined} {...field("since")} />
            <TextField label={words.mail.before} type="date" min={typed.since || undefined} {...field("before")} />
            <SelectField label={words.mail.kind} {...field("kind")}>
              {KINDS.map((kind) => (
                <option key={kind} value={kind}>
                  {words.mail.kinds[kind]}
                </option>
              ))}
            </SelectField>
            <Button
              className={styles.clear}
              kind="quiet"
              aria-disabled={!isNarrowed(typed)}
              onClick={() => now(NO_SEARCH)}
            >
              {words.mail.clearFilters}
            </Button>
          </div>
        ) : null}
      </form>
    </search>
  );
}

function same(one: Search, other: Search): boolean {
  return (Object.keys(NO_SEARCH) as (keyof Search)[]).every((field) => one[field].trim() === other[field].trim());
}
