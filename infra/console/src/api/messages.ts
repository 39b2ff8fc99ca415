/** Stored messages: their list, page by page, one of them whole, and what is sent or downloaded of them. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answered, api } from "./client";
import type { components } from "./schema";

export interface Person {
  name: string;
  address: string;
}

export type DeliveryState = "sending" | "sent" | "unconfirmed";

/** A message as the list shows it. */
export interface Summary {
  id: string;
  account_id: string;
  sender: Person;
  /** Of sent ones only. */
  recipients: string[];
  subject: string;
  dated: string | null;
  arrived: string | null;
  stored_at: string;
  octets: number;
  delivery: DeliveryState | null;
}

export interface Page {
  messages: Summary[];
  cursor: string | null;
  /** How far back a search has looked; null once it has looked at all. */
  searched_to: string | null;
}

export interface Attached {
  id: string;
  filename: string;
  content_type: string;
  octets: number;
  inline: boolean;
}

export interface Refused {
  address: string;
  code: string;
  message: string;
  server_said: string;
}

export interface Delivery {
  state: DeliveryState;
  recipients: string[];
  refused: Refused[];
}

/** A message whole. */
export interface Message {
  id: string;
  account_id: string;
  octets: number;
  dated: string | null;
  arrived: string | null;
  stored_at: string;
  sha256: string;
  subject: string;
  header_message_id: string;
  from: Person[];
  to: Person[];
  cc: Person[];
  bcc: Person[];
  reply_to: Person[];
  headers: { name: string; value: string }[];
  text: string | null;
  html: string | null;
  remote_images: number;
  attachments: Attached[];
  delivery: Delivery | null;
  problems: string[];
}

export type Kind = "all" | "received" | "sent";

/** What a list is narrowed to; empty fields narrow nothing. */
export interface Search {
  q: string;
  sender: string;
  subject: string;
  since: string;
  before: string;
  kind: Kind;
}

/** An account's id, or all of them together. */
export type Scope = string;
export const ALL: Scope = "all";

export type Images = "blocked" | "shown";

/** What names one stored message. */
export interface MessageName {
  accountId: string;
  messageId: string;
}

/** A file of a mail: by its content, by an upload, or by the stored message that has it. */
export type FileOut = Partial<components["schemas"]["AttachmentIn"]> & {
  account_id?: string;
  message_id?: string;
  attachment_id?: string;
};
export type MailOut = Omit<components["schemas"]["MailIn"], "attachments"> & { attachments: FileOut[] };
export type Sent = components["schemas"]["SentOut"];

type Call = (
  path: string,
  init: {
    params?: { path?: Record<string, string>; query?: Record<string, unknown>; header?: Record<string, string> };
    headers?: Record<string, string>;
    body?: unknown;
    signal?: AbortSignal;
  },
) => Promise<{ data?: unknown; error?: unknown; response: Response }>;
const get = api.GET as unknown as Call;
const post = api.POST as unknown as Call;

/** One page of a list, from the newest on or from a cursor. */
export async function readPage(
  scope: Scope,
  search: Search,
  { cursor, limit, signal }: { cursor: string | null; limit: number; signal?: AbortSignal },
): Promise<Page> {
  const asked = { ...search, kind: search.kind === "all" ? "" : search.kind, cursor: cursor ?? "", limit };
  const query = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== ""));
  const where: [string, Record<string, string>] =
    scope === ALL ? ["/messages", {}] : ["/accounts/{account_id}/messages", { account_id: scope }];
  return answered(get(where[0], { params: { path: where[1], query }, ...(signal && { signal }) })) as Promise<Page>;
}

/**
 * The list of a scope, as far as it was read.
 *
 * It is never read anew as a whole of itself: that could be a thousand pages. `limit` says how many a page has now.
 */
export function listQuery(scope: Scope, search: Search, limit: () => number) {
  return infiniteQueryOptions({
    queryKey: ["messages", scope, search],
    queryFn: ({ pageParam, signal }) => readPage(scope, search, { cursor: pageParam, limit: limit(), signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.cursor,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

const ofMessage = ({ accountId, messageId }: MessageName) => ({
  path: { account_id: accountId, message_id: messageId },
});

/** One message; what was stored never changes, so that it is read once. */
export function messageQuery(name: MessageName, images: Images) {
  return queryOptions({
    queryKey: ["message", name.accountId, name.messageId, images],
    queryFn: ({ signal }) =>
      answered(
        get("/accounts/{account_id}/messages/{message_id}", {
          params: { ...ofMessage(name), query: { images } },
          signal,
        }),
      ) as Promise<Message>,
    // The delivery of a mail that is being sent is still to come.
    staleTime: (query) => (query.state.data?.delivery?.state === "sending" ? 0 : Number.POSITIVE_INFINITY),
  });
}

/** A short-lived address of a message's octets, or of one of its attachments. */
export async function downloadAddress(name: MessageName, attachmentId?: string): Promise<string> {
  const { path } = ofMessage(name);
  const given = attachmentId ? { ...path, attachment_id: attachmentId } : path;
  const route = "/accounts/{account_id}/messages/{message_id}";
  const told = await answered(
    get(attachmentId ? `${route}/attachments/{attachment_id}` : `${route}/raw`, {
      params: { path: given },
      headers: { Accept: "application/json" },
    }),
  );
  return (told as { url: string }).url;
}

/** Send a mail; the same key with the same mail sends it once, however often it is asked for. */
export async function sendMail(accountId: string, mail: MailOut, key: string): Promise<Sent> {
  return answered(
    post("/accounts/{account_id}/send", {
      params: { path: { account_id: accountId }, header: { "idempotency-key": key } },
      body: mail,
    }),
  ) as Promise<Sent>;
}
