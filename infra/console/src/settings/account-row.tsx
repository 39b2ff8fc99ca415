/** One account of the list: where it stands in the order, how it does, and what can be done with it at once. */
import { useSortable } from "@dnd-kit/sortable";
import { CSS } from "@dnd-kit/utilities";
import { ChevronDown, ChevronUp, GripVertical, Pause, Play, RefreshCw, SlidersHorizontal } from "lucide-react";
import { useId } from "react";
import { Link } from "wouter";
import type { Account } from "../api/accounts";
import { useCheck } from "../checking/check";
import { CheckProgress } from "../checking/check-progress";
import { BareButton, Button, IconButton } from "../controls/button";
import { useWords } from "../language/language";
import styles from "./account-row.module.css";
import { usePause } from "./account-verbs";
import { Standing } from "./standing";
import { troublesOf } from "./trouble";

interface Props {
  account: Account;
  place: number;
  of: number;
  onMove: (from: number, to: number) => void;
  onDefault: (id: string) => void;
}

export function AccountRow({ account, place, of, onMove, onDefault }: Props) {
  const words = useWords();
  const list = words.settings.list;
  const id = useId();
  const { attributes, listeners, setNodeRef, setActivatorNodeRef, transform, transition, isDragging } = useSortable({
    id: account.id,
    attributes: { roleDescription: list.sortable },
  });
  const { check, checking, progress } = useCheck(account);
  const { pause, resume, busy } = usePause(account);
  const paused = account.status === "paused";
  const sending = troublesOf(account).some((trouble) => trouble.kind === "sending");
  return (
    <li
      ref={setNodeRef}
      className={isDragging ? `${styles.row} ${styles.dragged}` : styles.row}
      style={{ transform: CSS.Translate.toString(transform), transition }}
    >
      {of > 1 ? (
        <div className={styles.order}>
          <BareButton
            className={styles.step}
            aria-label={list.moveUp(account.name)}
            title={list.moveUp(account.name)}
            aria-disabled={place === 0}
            onClick={() => onMove(place, place - 1)}
          >
            <ChevronUp size={16} aria-hidden="true" />
          </BareButton>
          <button
            type="button"
            ref={setActivatorNodeRef}
            className={styles.handle}
            {...attributes}
            {...listeners}
            aria-label={list.drag(account.name)}
            title={list.drag(account.name)}
          >
            <GripVertical size={18} aria-hidden="true" />
          </button>
          <BareButton
            className={styles.step}
            aria-label={list.moveDown(account.name)}
            title={list.moveDown(account.name)}
            aria-disabled={place === of - 1}
            onClick={() => onMove(place, place + 1)}
          >
            <ChevronDown size={16} aria-hidden="true" />
          </BareButton>
        </div>
      ) : null}
      <div className={styles.what}>
        <h2 className={styles.name} id={id}>
          <Link href={`/settings/${account.id}`}>{account.name}</Link>
        </h2>
        {account.name === account.email ? null : <p className={styles.address}>{account.email}</p>}
        <Standing account={account} />
        {sending ? <p className={styles.sending}>{list.sendingFails}</p> : null}
        <CheckProgress name={account.name} checking={checking} progress={progress} />
      </div>
      <div className={styles.end}>
        <label className={styles.default}>
          <input
            type="radio"
            name="default-account"
            checked={account.is_default}
            onChange={() => onDefault(account.id)}
            aria-label={list.defaultOf(account.name)}
          />
          <span aria-hidden="true">{list.default}</span>
        </label>
        <div className={styles.verbs}>
          <Button
            className={styles.check}
            icon={<RefreshCw size={16} aria-hidden="true" />}
            busy={checking}
            onClick={check}
            aria-label={checking ? words.checking.checkingOf(account.name) : words.checking.checkNowOf(account.name)}
          >
            {checking ? words.checking.checking : words.checking.checkNow}
          </Button>
          <IconButton
            label={paused ? list.resume(account.name) : list.pause(account.name)}
            busy={busy}
            onClick={paused ? resume : pause}
          >
            {paused ? <Play size={18} aria-hidden="true" /> : <Pause size={18} aria-hidden="true" />}
          </IconButton>
          <Link
            href={`/settings/${account.id}`}
            className={styles.settings}
            aria-label={list.settingsOf(account.name)}
            title={list.settingsOf(account.name)}
          >
            <SlidersHorizontal size={18} aria-hidden="true" />
          </Link>
        </div>
      </div>
    </li>
  );
}
