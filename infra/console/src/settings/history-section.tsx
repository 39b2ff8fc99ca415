/** The last cycles: how much each has stored and which failed, as a chart and as a table. */
import { lazy, Suspense, useMemo } from "react";
import type { Account } from "../api/accounts";
import { type Cycle, useHistory } from "../api/history";
import { Button } from "../controls/button";
import { Failed, Loading } from "../controls/states";
import { useFormats } from "../language/formats";
import { toldCode, useWords } from "../language/language";
import styles from "./history-section.module.css";
import { Buttons, Section, Soft } from "./layout";

const NUMBERS = ["stored", "size", "skipped", "quarantined", "remaining"] as const;

const HistoryChart = lazy(() => import("./history-chart"));

export function HistorySection({ account }: { account: Account }) {
  const words = useWords();
  const told = words.settings.history;
  const history = useHistory(account.id, account.last_fetch?.at ?? null);
  const pages = history.data?.pages;
  const cycles = useMemo(() => pages?.flatMap((page) => page.cycles) ?? [], [pages]);
  return (
    <Section title={words.settings.sections.history} opening={told.opening}>
      {history.isPending ? <Loading /> : null}
      {history.isLoadingError ? <Failed failure={history.error} onRetry={() => void history.refetch()} /> : null}
      {history.data && cycles.length === 0 ? <Soft>{told.none}</Soft> : null}
      {cycles.length > 0 ? (
        <>
          <Suspense fallback={<div className={styles.chartPlace} />}>
            <HistoryChart cycles={cycles} />
          </Suspense>
          <ul className={styles.legend} aria-hidden="true">
            <li className={styles.stored}>{told.stored}</li>
            <li className={styles.failed}>{told.failed}</li>
          </ul>
          <details>
            <summary>{told.asTable}</summary>
            <CycleTable cycles={cycles} />
          </details>
          {history.hasNextPage ? (
            <Buttons>
              <Button busy={history.isFetchingNextPage} onClick={() => void history.fetchNextPage()}>
                {told.older}
              </Button>
            </Buttons>
          ) : null}
        </>
      ) : null}
    </Section>
  );
}

function CycleTable({ cycles }: { cycles: Cycle[] }) {
  const words = useWords();
  const told = words.settings.history;
  const formats = useFormats();
  return (
    // A region that scrolls can be reached and scrolled by keyboard.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
    <section className={styles.scroll} tabIndex={0} aria-label={told.asTable}>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">{told.when}</th>
            <th scope="col">{told.outcome}</th>
            {NUMBERS.map((name) => (
              <th key={name} scope="col" className={styles.number}>
                {told[name]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {cycles.map((cycle) => (
            <tr key={cycle.started_at}>
              <th scope="row">
                <time dateTime={cycle.finished_at}>{formats.moment(cycle.finished_at)}</time>
              </th>
              <td>
                {cycle.error ? toldCode(words, cycle.error.code, cycle.error.message) : told.outcomes[cycle.outcome]}
              </td>
              <td className={styles.number}>{formats.count(cycle.stored)}</td>
              <td className={styles.number}>{cycle.bytes > 0 ? formats.size(cycle.bytes) : "–"}</td>
              <td className={styles.number}>{formats.count(cycle.skipped)}</td>
              <td className={styles.number}>{formats.count(cycle.quarantined)}</td>
              <td className={styles.number}>{formats.count(cycle.remaining)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
