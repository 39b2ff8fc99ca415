/** What is fetched, how often, how much at once, and what becomes of it at the provider. */
import { Fragment } from "react";
import { Choice, Choices } from "../controls/choice";
import { SelectField, TextField } from "../controls/field";
import { useFormats } from "../language/formats";
import { useWords } from "../language/language";
import { Box, Fields } from "./layout";
import { intervalsFrom } from "./new-account";
import styles from "./retrieval-fields.module.css";
import {
  LONGEST_WAIT_DAYS,
  MESSAGES_PER_CYCLE,
  type Problems,
  RECOMMENDED_INTERVAL,
  RECOMMENDED_MESSAGES,
  type RetrievalValues,
} from "./values";

interface Props {
  values: RetrievalValues;
  onChange: (values: RetrievalValues) => void;
  problems: Problems;
  /** Minutes that the provider wants between two sign-ins; null where nothing is known. */
  shortest: number | null;
  recommended: number | null;
  /** The account's radio buttons are named by it. */
  name: string;
}

export function RetrievalFields({ values, onChange, problems, shortest, recommended, name }: Props) {
  const words = useWords().settings.retrieval;
  const formats = useFormats();
  const set = (changes: Partial<RetrievalValues>) => onChange({ ...values, ...changes });
  const perCycle = [...new Set<number>([...MESSAGES_PER_CYCLE, values.perCycle])].sort((a, b) => a - b);
  return (
    <>
      <Fields>
        <SelectField
          label={words.interval}
          hint={shortest && shortest > 1 ? words.shortest(formats.counted(shortest)) : words.intervalHint}
          value={values.interval}
          onChange={(event) => set({ interval: Number(event.target.value) })}
          problem={problems["fetch.interval_minutes"]}
        >
          {intervalsFrom(shortest, values.interval).map((minutes) => (
            <option key={minutes} value={minutes}>
              {marked(words.every(minutes), minutes === (recommended ?? RECOMMENDED_INTERVAL))}
            </option>
          ))}
        </SelectField>
        <SelectField
          label={words.perCycle}
          hint={words.perCycleHint}
          value={values.perCycle}
          onChange={(event) => set({ perCycle: Number(event.target.value) })}
          problem={problems["fetch.max_messages_per_cycle"]}
        >
          {perCycle.map((count) => (
            <option key={count} value={count}>
              {marked(words.messages(formats.counted(count)), RECOMMENDED_MESSAGES.includes(count))}
            </option>
          ))}
        </SelectField>
      </Fields>
      <Choice
        type="checkbox"
        label={words.catchUp}
        hint={words.catchUpHint}
        checked={values.catchUp}
        onChange={(event) => set({ catchUp: event.target.checked })}
      />
      <Fields>
        <Choices legend={words.start}>
          {(["all", "now", "since"] as const).map((start) => (
            <Choice
              key={start}
              type="radio"
              name={`${name}-start`}
              label={words.starts[start]}
              checked={values.start === start}
              onChange={() => set({ start })}
            />
          ))}
          {values.start === "since" ? (
            <div className={styles.inset}>
              <TextField
                label={words.since}
                type="date"
                value={values.since}
                onChange={(event) => set({ since: event.target.value })}
                problem={problems["fetch.start"]}
              />
            </div>
          ) : null}
        </Choices>
        <Choices legend={words.order}>
          {(["newest_first", "oldest_first"] as const).map((order) => (
            <Choice
              key={order}
              type="radio"
              name={`${name}-order`}
              label={words.orders[order]}
              checked={values.order === order}
              onChange={() => set({ order })}
            />
          ))}
        </Choices>
      </Fields>
      <Choices legend={words.afterFetch}>
        {(["keep", "delete_after_days", "delete"] as const).map((afterFetch) => (
          <Fragment key={afterFetch}>
            <Choice
              type="radio"
              name={`${name}-after`}
              label={words.afterFetches[afterFetch]}
              checked={values.afterFetch === afterFetch}
              onChange={() => set({ afterFetch })}
            />
            {afterFetch === "delete_after_days" && values.afterFetch === afterFetch ? (
              <div className={styles.inset}>
                <TextField
                  label={words.days}
                  type="number"
                  min={1}
                  max={LONGEST_WAIT_DAYS}
                  inputMode="numeric"
                  value={values.days}
                  onChange={(event) => set({ days: event.target.value })}
                  problem={problems["fetch.delete_after_days"]}
                />
              </div>
            ) : null}
          </Fragment>
        ))}
      </Choices>
      {values.afterFetch === "keep" ? null : (
        <Box tone="warn" live>
          <p>{words.deletionWarning}</p>
        </Box>
      )}
    </>
  );

  function marked(text: string, isRecommended: boolean): string {
    return isRecommended ? words.recommended(text) : text;
  }
}
