/** What is fetched, in one sentence. */
import { useFormats } from "../language/formats";
import { useWords } from "../language/language";
import type { Counted } from "../language/plural";
import type { RetrievalValues } from "./values";

export function Summary({ retrieval }: { retrieval: RetrievalValues }) {
  const words = useWords().settings.retrieval;
  const formats = useFormats();
  const what =
    retrieval.start === "since" && retrieval.since
      ? words.sinceDay(formats.day(retrieval.since))
      : words.starts[retrieval.start];
  // While it is typed it may be no number.
  const number = Number(retrieval.days);
  const days: Counted = Number.isNaN(number) ? { number, written: retrieval.days } : formats.counted(number);
  const after = {
    keep: words.keptThere,
    delete: words.deletedThere,
    delete_after_days: words.deletedAfter(days),
  };
  return (
    <p>
      {[
        what,
        words.every(retrieval.interval),
        words.upTo(formats.count(retrieval.perCycle)),
        after[retrieval.afterFetch],
      ].join(" · ")}
    </p>
  );
}
