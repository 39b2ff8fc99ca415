/**
 * Mails that are being written.
 *
 * They outlive leaving the page and loading it anew, in this tab and for this person alone; their files only the first.
 */
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from "react";
import type { MessageName } from "../../api/messages";
import type { Answering } from "../route";

/** A file that was chosen here. */
export interface ChosenFile {
  kind: "chosen";
  id: string;
  file: File;
  name: string;
  type: string;
  octets: number;
  /** Where it was uploaded to already, and for which account. */
  upload?: { accountId: string; uploadId: string };
}

/** A file that popfetch has: a stored message's, or (without an attachment's id) the message itself. */
export interface StoredFile {
  kind: "stored";
  id: string;
  accountId: string;
  messageId: string;
  attachmentId: string | null;
  name: string;
  type: string;
  octets: number;
}

export type DraftFile = ChosenFile | StoredFile;

export interface Thread {
  /** The stored message that is answered. */
  name: MessageName;
  /** The same by its Message-IDs, for another account. */
  ids: { inReplyTo: string; references: string[] } | null;
}

export interface Draft {
  id: string;
  answering: { how: Answering; name: MessageName } | null;
  /** Whom the link was to that began it; empty where none did. */
  linked: string;
  accountId: string;
  to: string;
  cc: string;
  bcc: string;
  subject: string;
  text: string;
  files: DraftFile[];
  thread: Thread | null;
  /** Files that did not outlive loading the page anew, by their names. */
  lost: string[];
  /** The last try to send it. */
  attempt: Attempt | null;
}

export interface Attempt {
  key: string;
  /** Which request the key is of. */
  request: string;
  /** Whether that request may have been sent: from when it is out until an answer says otherwise. */
  unsure: boolean;
  /** Whether an earlier one, with another key, may have been sent too. */
  unsureBefore: boolean;
}

/** The id of the draft that answers a message, of the one that a link to somebody has begun, or of the new mail. */
export function draftId(answering: Draft["answering"], linked: string): string {
  if (answering) return `${answering.how} ${answering.name.accountId} ${answering.name.messageId}`;
  return linked ? `new ${linked}` : "new";
}

/** How far a draft is on its way. */
export interface Sending {
  /** How much of each upload is there, by the file's id. */
  shares: ReadonlyMap<string, number>;
  /** Whether the request is out: nothing takes it back then. */
  isOut: boolean;
  /** Where it is out, its answer is waited for no more. */
  giveUp: () => void;
}

interface Drafts {
  drafts: readonly Draft[];
  find: (id: string) => Draft | undefined;
  /** Change a draft; from its first change on it is kept. */
  change: (draft: Draft, changed: Partial<Draft>) => void;
  /** Change a draft that is kept; one that was dropped meanwhile stays so. */
  amend: (id: string, changed: Partial<Draft>) => void;
  drop: (id: string) => void;
  /** How far it is on its way; null where it is not. */
  sendingOf: (id: string) => Sending | null;
  setSending: (id: string, sending: Sending | null) => void;
}

const STORED = "popfetch.drafts";
const Context = createContext<Drafts | null>(null);

/**
 * Keeps the drafts of whoever is signed in with `email`; somebody else's are forgotten. When that person goes, by whatever
 * way, nothing is sent any more that is not out yet.
 */
export function DraftsProvider({ email, children }: { email: string; children: ReactNode }) {
  const [drafts, setDrafts] = useState<readonly Draft[]>(() => stored(email));
  useEffect(() => {
    store(email, drafts);
    if (!drafts.length) return;
    // With the tab they are gone.
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, [email, drafts]);
  const [sendings, setSendings] = useState<ReadonlyMap<string, Sending>>(new Map());
  const underWay = useRef(sendings);
  useEffect(() => {
    underWay.current = sendings;
  }, [sendings]);
  useEffect(
    () => () => {
      for (const { giveUp } of underWay.current.values()) giveUp();
    },
    [],
  );
  const change = useCallback(
    (draft: Draft, changed: Partial<Draft>) =>
      setDrafts((all) =>
        all.some(({ id }) => id === draft.id) ? amended(all, draft.id, changed) : [...all, { ...draft, ...changed }],
      ),
    [],
  );
  const amend = useCallback((id: string, changed: Partial<Draft>) => setDrafts((all) => amended(all, id, changed)), []);
  const setSending = useCallback(
    (id: string, sending: Sending | null) =>
      setSendings((all) => new Map([...all].filter(([other]) => other !== id).concat(sending ? [[id, sending]] : []))),
    [],
  );
  const drop = useCallback((id: string) => setDrafts((all) => all.filter((one) => one.id !== id)), []);
  const value = useMemo(
    () => ({
      drafts,
      change,
      amend,
      drop,
      setSending,
      find: (id: string) => drafts.find((one) => one.id === id),
      sendingOf: (id: string) => sendings.get(id) ?? null,
    }),
    [drafts, sendings, change, amend, drop, setSending],
  );
  return <Context value={value}>{children}</Context>;
}

export function useDrafts(): Drafts {
  const drafts = useContext(Context);
  if (!drafts) throw new Error("There is no DraftsProvider around this.");
  return drafts;
}

function amended(all: readonly Draft[], id: string, changed: Partial<Draft>): readonly Draft[] {
  return all.map((one) => (one.id === id ? { ...one, ...changed } : one));
}

function forgetDrafts(): void {
  sessionStorage.removeItem(STORED);
}

function store(email: string, drafts: readonly Draft[]): void {
  if (!drafts.length) {
    forgetDrafts();
    return;
  }
  const lasting = drafts.map((draft) => ({
    ...draft,
    files: draft.files.filter((file) => file.kind === "stored"),
    lost: [...draft.lost, ...draft.files.filter((file) => file.kind === "chosen").map((file) => file.name)],
  }));
  try {
    sessionStorage.setItem(STORED, JSON.stringify({ email, drafts: lasting }));
  } catch {
    // It is full: the drafts still outlive leaving the page.
  }
}

function stored(email: string): Draft[] {
  try {
    const kept = JSON.parse(sessionStorage.getItem(STORED) ?? "null") as { email: string; drafts: Draft[] } | null;
    if (kept?.email === email) return kept.drafts;
  } catch {
    // What cannot be read is no draft.
  }
  forgetDrafts();
  return [];
}
