/** Instants, sizes and counts as people of a language write them. */
import { type Tag, useLanguage } from "./language";
import type { Counted } from "./plural";

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;

const ISO_DATE = "2026-01-31".length;

export interface Formats {
  /** The time where it is today, the day within the year, else the date; empty for null. */
  brief: (instant: string | null | undefined, now?: Date) => string;
  /** The day, its year included; an ISO date is the same day wherever one is. Empty for null. */
  day: (instant: string | null | undefined) => string;
  /** Day and time in full. */
  full: (instant: string | null | undefined) => string;
  /** Day and time in short. */
  moment: (instant: string | null | undefined) => string;
  /** How long ago, in the largest unit that fits. */
  ago: (instant: string, now?: Date) => string;
  size: (octets: number) => string;
  count: (number: number) => string;
  /** A count for words that differ by it. */
  counted: (number: number) => Counted;
}

/** The language as it is written where the browser is set up for, such as English with the day before the month. */
export function regionalTag(tag: Tag, wanted: readonly string[]): string {
  return wanted.find((one) => one.split("-")[0]?.toLowerCase() === tag) ?? tag;
}

export function formatsOf(tag: string): Formats {
  const time = new Intl.DateTimeFormat(tag, { hour: "2-digit", minute: "2-digit" });
  const day = new Intl.DateTimeFormat(tag, { day: "numeric", month: "short" });
  const date = new Intl.DateTimeFormat(tag, { day: "numeric", month: "short", year: "numeric" });
  const whole = new Intl.DateTimeFormat(tag, { dateStyle: "full", timeStyle: "short" });
  const short = new Intl.DateTimeFormat(tag, { dateStyle: "medium", timeStyle: "short" });
  const relative = new Intl.RelativeTimeFormat(tag, { numeric: "auto" });
  const plain = new Intl.NumberFormat(tag);
  const sizes = UNITS.map((unit) =>
    [0, 1].map(
      (maximumFractionDigits) =>
        new Intl.NumberFormat(tag, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits }),
    ),
  );
  const read = (instant: string | null | undefined) => {
    const moment = instant ? new Date(instant.length === ISO_DATE ? `${instant}T00:00` : instant) : null;
    return moment && !Number.isNaN(moment.getTime()) ? moment : null;
  };
  return {
    brief(instant, now = new Date()) {
      const moment = read(instant);
      if (!moment) return "";
      if (moment.toDateString() === now.toDateString()) return time.format(moment);
      return (moment.getFullYear() === now.getFullYear() ? day : date).format(moment);
    },
    day(instant) {
      const moment = read(instant);
      return moment ? date.format(moment) : "";
    },
    full(instant) {
      const moment = read(instant);
      return moment ? whole.format(moment) : "";
    },
    moment(instant) {
      const moment = read(instant);
      return moment ? short.format(moment) : "";
    },
    ago(instant, now = new Date()) {
      const moment = read(instant);
      if (!moment) return "";
      const seconds = Math.round((moment.getTime() - now.getTime()) / 1000);
      for (const [unit, length] of [
        ["day", 86_400],
        ["hour", 3_600],
        ["minute", 60],
      ] as const) {
        if (Math.abs(seconds) >= length) return relative.format(Math.trunc(seconds / length), unit);
      }
      return relative.format(Math.min(0, seconds), "second");
    },
    size(octets) {
      // Its short form is a whole word in some languages.
      if (octets < 1000) return `${plain.format(octets)}\u00a0B`;
      let value = octets;
      let unit = 0;
      while (value >= 1000 && unit < UNITS.length - 1) {
        value /= 1000;
        unit += 1;
      }
      const digits = value < 10 && unit > 0 ? 1 : 0;
      return sizes[unit]?.[digits]?.format(value) ?? "";
    },
    count: (number) => plain.format(number),
    counted: (number) => ({ number, written: plain.format(number) }),
  };
}

/** Making them costs more than using them, and each row of a list uses them. */
const made = new Map<Tag, Formats>();

/** The formats of the language that is spoken. */
export function useFormats(): Formats {
  const { tag } = useLanguage();
  const formats = made.get(tag) ?? formatsOf(regionalTag(tag, navigator.languages));
  made.set(tag, formats);
  return formats;
}
