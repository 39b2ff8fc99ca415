/** Writing a mail: new, as an answer, or forwarded. */
import { useQuery } from "@tanstack/react-query";
import { Paperclip, Send, Trash2, X } from "lucide-react";
import { type DragEvent, useEffect, useId, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { Link } from "wouter";
import type { Account } from "../../api/accounts";
import { ApiFailure } from "../../api/client";
import { ALL, type Delivery, messageQuery, type Sent } from "../../api/messages";
import { Button, IconButton } from "../../controls/button";
import { Actions, Dialog } from "../../controls/dialog";
import { Field, SelectField, TextField } from "../../controls/field";
import fieldStyles from "../../controls/field.module.css";
import { useNotices } from "../../controls/notices";
import { Empty, Failed, Loading } from "../../controls/states";
import { useFormats } from "../../language/formats";
import { toldFailure, useWords } from "../../language/language";
import type { Words } from "../../language/words";
import { Refused } from "../message/delivered";
import { addressOf, NO_SEARCH } from "../route";
import { recipientsOf } from "./addresses";
import { answerTo, canSend, newDraft, senderAmong } from "./beginning";
import styles from "./compose.module.css";
import { type Draft, type DraftFile, draftId, type Sending, useDrafts } from "./drafts";
import {
  attemptAfter,
  dispatch,
  isUnsure,
  MOST_FILES,
  MOST_OCTETS,
  MOST_RECIPIENTS,
  mayComeTwice,
  UploadFailed,
  withKey,
} from "./sending";

const COPIES = ["cc", "bcc"] as const;
/** What is asked before a mail goes out, one after the other. */
const QUESTIONS = ["twice", "files", "subject"] as const;
type Question = (typeof QUESTIONS)[number];

interface Props {
  answering: Draft["answering"];
  accounts: readonly Account[];
  /** The account in question. */
  accountId: string;
  /** Whom a new mail is for, where that is known. */
  to: string;
  onClose: () => void;
  onSent: (sent: Sent, accountId: string) => void;
}

/** The draft that was begun before, else a new one, once what it answers is there. */
export default function Compose(props: Props) {
  const { answering, accounts, accountId, to } = props;
  const words = useWords();
  const formats = useFormats();
  const { find } = useDrafts();
  const kept = find(draftId(answering, to));
  const name = answering?.name ?? { accountId: "", messageId: "" };
  const answered = useQuery({ ...messageQuery(name, "blocked"), enabled: answering !== null && !kept });
  const from = senderAmong(accounts, answering?.name.accountId ?? accountId);
  if (!from) {
    return (
      <Empty title={words.mail.noSending}>
        <Link href={accountId ? `/settings/${accountId}` : "/settings"}>{words.mail.toSettings}</Link>
      </Empty>
    );
  }
  if (kept) return <Writing {...props} key={kept.id} draft={kept} />;
  if (!answering) return <Writing {...props} key={draftId(null, to)} draft={newDraft(from, to)} />;
  if (answered.error) return <Failed failure={answered.error} onRetry={() => void answered.refetch()} />;
  if (!answered.data) return <Loading />;
  const begun = answerTo(answered.data, answering.how, from, accounts, { words, full: formats.full });
  return <Writing {...props} key={begun.id} draft={begun} />;
}

type Problems = Partial<Record<"to" | "cc" | "bcc" | "files", string>>;

function Writing({ draft, answering, accounts, onClose, onSent }: Props & { draft: Draft }) {
  const words = useWords();
  const { tell } = useNotices();
  const { find, amend, drop, setSending, sendingOf, ...drafts } = useDrafts();
  const [copies, setCopies] = useState({ cc: draft.cc !== "", bcc: draft.bcc !== "", asked: false });
  const [problems, setProblems] = useState<Problems>({});
  const [failure, setFailure] = useState<unknown>(null);
  const [asking, setAsking] = useState<"discard" | Question | null>(null);
  const form = useRef<HTMLFormElement>(null);
  const sending = sendingOf(draft.id);
  // What is on its way is no more to be changed: it would be lost with the draft.
  const isSending = sending !== null;
  const isTouched = find(draft.id) !== undefined;
  const change = (changed: Partial<Draft>) => drafts.change(draft, changed);

  // The button is gone once it was pressed: the focus goes to what it has brought.
  useEffect(() => {
    if (!copies.asked) return;
    const [cc, bcc] = COPIES.map((name) => form.current?.querySelector<HTMLTextAreaElement>(`[name=${name}]`));
    (cc?.value ? bcc : cc)?.focus();
  }, [copies.asked]);

  const [isAnswer] = useState(Boolean(draft.to));
  useEffect(() => {
    // A new mail begins with whom it is for; an answer with its words, above what is quoted.
    const first = form.current?.querySelector<HTMLTextAreaElement>(isAnswer ? "[name=text]" : "[name=to]");
    first?.focus({ preventScroll: true });
    if (isAnswer) first?.setSelectionRange(0, 0);
  }, [isAnswer]);

  const isHere = useRef(true);
  useEffect(() => {
    isHere.current = true;
    return () => {
      isHere.current = false;
    };
  }, []);

  // It goes on whatever is opened meanwhile, and what becomes of it is told there.
  const send = async () => {
    const ready = withKey(draft);
    const given = new AbortController();
    let now: Sending = { shares: new Map(), isOut: false, giveUp: () => given.abort() };
    const went = (further: Partial<Sending>) => {
      now = { ...now, ...further };
      setSending(ready.id, now);
    };
    setFailure(null);
    change({ attempt: ready.attempt });
    went({});
    try {
      const sent = await dispatch(ready, {
        onProgress: (id, share) => went({ shares: new Map(now.shares).set(id, share) }),
        onUploaded: (files) => amend(ready.id, { files }),
        // Kept before it goes: a page that is loaded anew, or a session that has ended, hears of no answer.
        onOut: () =>
          flushSync(() => {
            went({ isOut: true });
            amend(ready.id, { attempt: { ...ready.attempt, unsure: true } });
          }),
        signal: given.signal,
      });
      drop(ready.id);
      onSent(sent, ready.accountId);
    } catch (reason) {
      if (reason instanceof DOMException && reason.name === "AbortError") return;
      amend(ready.id, { attempt: attemptAfter(ready.attempt, reason, now.isOut) });
      if (isHere.current) setFailure(reason);
      else tell(toldSending(words, reason), "bad");
    } finally {
      setSending(ready.id, null);
    }
  };

  /** Send, once all that is still to be asked was answered. */
  const trySending = (stillToAsk: readonly Question[] = QUESTIONS) => {
    setAsking(null);
    if (isSending) return;
    const found = problemsOf(draft, words);
    setProblems(found);
    const [wrong] = Object.keys(found);
    if (wrong) {
      form.current?.querySelector<HTMLElement>(`[name=${wrong}]`)?.focus();
      return;
    }
    const arises: Record<Question, boolean> = {
      twice: mayComeTwice(draft),
      files: draft.lost.length > 0,
      subject: !draft.subject.trim(),
    };
    const question = stillToAsk.find((one) => arises[one]);
    if (question) setAsking(question);
    else void send();
  };

  const close = () => {
    if (isTouched) tell(words.mail.draftKept);
    onClose();
  };
  const discard = () => {
    if (sending?.isOut) return;
    sending?.giveUp();
    drop(draft.id);
    onClose();
  };

  const account = accounts.find(({ id }) => id === draft.accountId);
  const title = words.mail.titles[answering?.how ?? "new"];
  const isTwice = mayComeTwice(draft);
  const isToldUnsure = isUnsure(failure);
  const isInDoubt = isTwice || (draft.attempt?.unsure === true && !isSending && !isToldUnsure);
  const questionTexts: Record<Question, string> = {
    twice: words.mail.changedSince,
    files: words.mail.filesLost(draft.lost.join(", ")),
    subject: words.mail.noSubjectYet,
  };
  return (
    <section className={styles.compose} aria-label={title}>
      <header className={styles.header}>
        <h2>{title}</h2>
        <IconButton label={words.mail.closeDraft} onClick={close}>
          <X size={20} aria-hidden="true" />
        </IconButton>
      </header>
      <form
        ref={form}
        className={styles.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          trySending();
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) trySending();
        }}
      >
        {draft.lost.length ? (
          <div className={styles.warning}>
            <p role="status">{words.mail.filesLost(draft.lost.join(", "))}</p>
            <Button
              kind="quiet"
              className={styles.remedy}
              disabled={isSending}
              onClick={() => {
                change({ lost: [] });
                form.current?.querySelector("[name=files]")?.parentElement?.querySelector("button")?.focus();
              }}
            >
              {words.mail.filesLeftOut}
            </Button>
          </div>
        ) : null}
        <SelectField
          label={words.mail.sendFrom}
          value={draft.accountId}
          hint={account?.reply_to?.in_force ? words.mail.repliesGoTo(account.reply_to.in_force) : undefined}
          disabled={isSending}
          onChange={(event) => change({ accountId: event.target.value })}
        >
          {accounts.map((one) => (
            <option key={one.id} value={one.id} disabled={!canSend(one)}>
              {`${one.name} <${one.email}>${canSend(one) ? "" : ` (${words.mail.cannotSend})`}`}
            </option>
          ))}
        </SelectField>
        {account?.outgoing_status === "auth_failed" ? (
          <p className={styles.warning}>
            {words.mail.stopped.outgoing} <Link href={`/settings/${account.id}`}>{words.mail.remedies.outgoing}</Link>
          </p>
        ) : null}
        <RecipientsField
          name="to"
          label={words.mail.toField}
          value={draft.to}
          problem={problems.to}
          readOnly={isSending}
          hint={answering ? undefined : words.mail.recipientsHint}
          onChange={(to) => change({ to })}
          onProblem={(to) => setProblems({ ...problems, to })}
        />
        {COPIES.filter((name) => copies[name]).map((name) => (
          <RecipientsField
            key={name}
            name={name}
            label={words.mail[name]}
            value={draft[name]}
            problem={problems[name]}
            readOnly={isSending}
            onChange={(people) => change({ [name]: people })}
            onProblem={(problem) => setProblems({ ...problems, [name]: problem })}
          />
        ))}
        {copies.cc && copies.bcc ? null : (
          <Button
            kind="quiet"
            className={styles.copies}
            onClick={() => setCopies({ cc: true, bcc: true, asked: true })}
          >
            {copies.cc ? words.mail.bcc : copies.bcc ? words.mail.cc : words.mail.addCopies}
          </Button>
        )}
        <TextField
          label={words.mail.subject}
          name="subject"
          maxLength={500}
          autoComplete="off"
          value={draft.subject}
          readOnly={isSending}
          onChange={(event) => change({ subject: event.target.value })}
        />
        <Field label={words.mail.text}>
          {(described) => (
            <textarea
              className={`${fieldStyles.input} ${styles.text}`}
              name="text"
              dir="auto"
              maxLength={1_500_000}
              value={draft.text}
              readOnly={isSending}
              onChange={(event) => change({ text: event.target.value })}
              {...described}
            />
          )}
        </Field>
        <Files
          files={draft.files}
          problem={problems.files}
          shares={sending?.shares ?? null}
          onChange={(files) => {
            setProblems({ ...problems, files: undefined });
            change({ files, lost: stillLost(draft, files) });
          }}
        />
        <div className={styles.foot}>
          <div role="alert" className={styles.failures}>
            {failure ? (
              <div className={styles.failure}>
                <p>{toldSending(words, failure)}</p>
                <WhatTheServerSaid failure={failure} />
                {isToldUnsure ? <SentMailLink /> : null}
              </div>
            ) : null}
            {isInDoubt ? (
              <div className={styles.failure}>
                <p>{isTwice ? words.mail.changedSince : words.mail.maybeSent}</p>
                <SentMailLink />
              </div>
            ) : null}
          </div>
          <div className={styles.actions}>
            <Button type="submit" kind="main" busy={isSending} icon={<Send size={18} aria-hidden="true" />}>
              {words.mail.send}
            </Button>
            <Button
              kind="quiet"
              disabled={sending?.isOut}
              icon={<Trash2 size={18} aria-hidden="true" />}
              onClick={() => (isTouched ? setAsking("discard") : discard())}
            >
              {words.mail.discard}
            </Button>
          </div>
        </div>
      </form>
      {asking === "discard" ? (
        <Dialog title={words.mail.discardQuestion} onClose={() => setAsking(null)}>
          <p>{words.mail.discardText}</p>
          <Actions>
            <Button onClick={() => setAsking(null)}>{words.mail.keepWriting}</Button>
            <Button kind="danger" disabled={sending?.isOut} onClick={discard}>
              {words.mail.discard}
            </Button>
          </Actions>
        </Dialog>
      ) : null}
      {asking !== null && asking !== "discard" ? (
        // Each is a dialog of its own, so that whoever clicks twice has not answered two.
        <Dialog key={asking} title={words.mail.questions[asking]} onClose={() => setAsking(null)}>
          <p>{questionTexts[asking]}</p>
          {asking === "twice" ? <SentMailLink /> : null}
          <Actions>
            <Button onClick={() => setAsking(null)}>{words.mail.keepWriting}</Button>
            <Button kind="main" onClick={() => trySending(QUESTIONS.slice(QUESTIONS.indexOf(asking) + 1))}>
              {words.mail.sendAnyway}
            </Button>
          </Actions>
        </Dialog>
      ) : null}
    </section>
  );
}

/** The lost files that are still missing: each file that is added stands for one of its name. */
function stillLost(draft: Draft, files: readonly DraftFile[]): string[] {
  const added = files.filter((file) => !draft.files.includes(file)).map(({ name }) => name);
  return draft.lost.filter((name) => {
    const at = added.indexOf(name);
    if (at >= 0) added.splice(at, 1);
    return at < 0;
  });
}

function problemsOf(draft: Draft, words: Words): Problems {
  const found: Problems = {};
  let count = 0;
  for (const field of ["to", ...COPIES] as const) {
    const { people, wrong } = recipientsOf(draft[field]);
    count += people.length;
    if (wrong.length) found[field] = words.mail.wrongAddress(wrong.join(", "));
  }
  if (!count && !Object.keys(found).length) found.to = words.mail.needsRecipient;
  if (count > MOST_RECIPIENTS) found.to = words.mail.tooManyRecipients;
  if (draft.files.length > MOST_FILES) found.files = words.mail.tooManyFiles;
  if (draft.files.reduce((sum, { octets }) => sum + octets, 0) > MOST_OCTETS) found.files = words.mail.filesTooLarge;
  return found;
}

function toldSending(words: Words, failure: unknown): string {
  if (failure instanceof UploadFailed) return words.mail.uploadFailed(failure.filename);
  if (isUnsure(failure)) return words.mail.maybeSent;
  return toldFailure(words, failure);
}

/** To what was sent, for whoever wants to know whether a mail is there; the draft is kept meanwhile. */
function SentMailLink() {
  const words = useWords();
  const search = { ...NO_SEARCH, kind: "sent" } as const;
  return <Link href={addressOf({ scope: ALL, search, beside: { kind: "nothing" } })}>{words.mail.lookAtSent}</Link>;
}

/** The words of the mail server, as far as it said any. */
function WhatTheServerSaid({ failure }: { failure: unknown }) {
  const words = useWords();
  if (!(failure instanceof ApiFailure)) return null;
  const { refused, server_said: said } = failure.details as { refused?: Delivery["refused"]; server_said?: string };
  if (refused?.length) return <Refused refused={refused} />;
  return said ? <p>{words.mail.serverSaid(said)}</p> : null;
}

interface RecipientsProps {
  name: string;
  label: string;
  value: string;
  problem: string | undefined;
  hint?: string | undefined;
  readOnly: boolean;
  onChange: (value: string) => void;
  onProblem: (problem: string | undefined) => void;
}

function RecipientsField({ name, label, value, problem, hint, readOnly, onChange, onProblem }: RecipientsProps) {
  const words = useWords();
  return (
    <Field label={label} problem={problem} hint={hint}>
      {(described) => (
        <textarea
          className={`${fieldStyles.input} ${styles.recipients}`}
          name={name}
          rows={1}
          inputMode="email"
          autoCapitalize="none"
          autoComplete="off"
          spellCheck={false}
          value={value}
          readOnly={readOnly}
          onChange={(event) => onChange(event.target.value.replace(/\n/g, ", "))}
          onKeyDown={(event) => {
            if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) event.preventDefault();
          }}
          onBlur={() => {
            const { wrong } = recipientsOf(value);
            onProblem(wrong.length ? words.mail.wrongAddress(wrong.join(", ")) : undefined);
          }}
          {...described}
        />
      )}
    </Field>
  );
}

interface FilesProps {
  files: readonly DraftFile[];
  problem: string | undefined;
  /** How far each upload is, while the mail is sent. */
  shares: ReadonlyMap<string, number> | null;
  onChange: (files: DraftFile[]) => void;
}

function Files({ files, problem, shares, onChange }: FilesProps) {
  const words = useWords();
  const formats = useFormats();
  const id = useId();
  const picker = useRef<HTMLInputElement>(null);
  const [isOver, setOver] = useState(false);
  const add = (chosen: FileList | null) => {
    const added = [...(chosen ?? [])].map(
      (file): DraftFile => ({
        kind: "chosen",
        id: crypto.randomUUID(),
        file,
        name: file.name,
        type: file.type,
        octets: file.size,
      }),
    );
    if (added.length) onChange([...files, ...added]);
  };
  const over = (event: DragEvent, is: boolean) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    setOver(is);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: whoever cannot drop has the button.
    <div
      className={styles.drop}
      data-over={isOver || undefined}
      onDragEnter={(event) => over(event, true)}
      onDragOver={(event) => over(event, true)}
      onDragLeave={(event) => over(event, false)}
      onDrop={(event) => {
        over(event, false);
        if (!shares) add(event.dataTransfer.files);
      }}
    >
      <input
        ref={picker}
        id={id}
        type="file"
        name="files"
        multiple
        hidden
        onChange={(event) => {
          add(event.target.files);
          event.target.value = "";
        }}
      />
      <div className={styles.attach}>
        <Button
          disabled={shares !== null}
          icon={<Paperclip size={18} aria-hidden="true" />}
          onClick={() => picker.current?.click()}
        >
          {words.mail.attach}
        </Button>
        <span className={styles.dropHint}>{words.mail.dropHere}</span>
      </div>
      {files.length ? (
        <ul className={styles.files} aria-label={words.mail.attached}>
          {files.map((file) => (
            <li key={file.id} className={styles.file}>
              <Paperclip size={16} aria-hidden="true" />
              <span className={styles.filename} title={file.name}>
                {file.name}
              </span>
              <span className={styles.octets}>{formats.size(file.octets)}</span>
              {shares?.has(file.id) ? (
                <progress
                  className={styles.share}
                  aria-label={words.mail.uploading(file.name)}
                  value={shares.get(file.id) ?? 0}
                />
              ) : (
                <IconButton
                  label={words.mail.remove(file.name)}
                  disabled={shares !== null}
                  onClick={() => {
                    onChange(files.filter((one) => one !== file));
                    picker.current?.parentElement?.querySelector("button")?.focus();
                  }}
                >
                  <X size={18} aria-hidden="true" />
                </IconButton>
              )}
            </li>
          ))}
        </ul>
      ) : null}
      {problem ? (
        <p className={fieldStyles.problem} role="alert">
          {problem}
        </p>
      ) : null}
    </div>
  );
}
