/** Stored messages: their list, page by page, one of them whole, and what is sent or downloaded of them. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answered, api } from "./client";
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Person = Schemas["MailboxOut"];
export type DeliveryState = Schemas["DeliveryState"];
/** A message as the list shows it. */
export type Summary = Schemas["MessageRowOut"];
export type Page = Schemas["MessagesOut"];
/** A message whole. */
export type Message = Schemas["MessageOut"];
export type Delivery = Schemas["DeliveryOut"];

export type Kind = "all" | "received" | "sent";

/** What the names of all lists in the cache begin with. */
export const MESSAGES = ["messages"] as const;

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
export type FileOut = Partial<Schemas["AttachmentIn"]>;
export type MailOut = Omit<Schemas["MailIn"], "attachments"> & { attachments: FileOut[] };
export type Sent = Schemas["SentOut"];

/** One page of a list, from the newest on or from a cursor. */
export async function readPage(
  scope: Scope,
  { q, sender, subject, since, before, kind }: Search,
  { cursor, limit, signal }: { cursor: string | null; limit: number; signal?: AbortSignal },
): Promise<Page> {
  const query = {
    limit,
    ...(cursor && { cursor }),
    ...(q && { q }),
    ...(sender && { sender }),
    ...(subject && { subject }),
    ...(since && { since: beginningOf(since) }),
    ...(before && { before: beginningOf(before) }),
    ...(kind !== "all" && { kind }),
  };
  const given = signal && { signal };
  if (scope === ALL) return answered(api.GET("/messages", { params: { query }, ...given }));
  const path = { account_id: scope };
  return answered(api.GET("/accounts/{account_id}/messages", { params: { path, query }, ...given }));
}

/** The instant at which a day begins here; the API takes a bare date for a day of UTC. */
function beginningOf(day: string): string {
  return new Date(`${day}T00:00`).toISOString();
}

/**
 * The list of a scope, as far as it was read.
 *
 * It is never read anew as a whole of itself: that could be a thousand pages. `limit` says how many a page has now.
 */
export function listQuery(scope: Scope, search: Search, limit: () => number) {
  return infiniteQueryOptions({
    queryKey: [...MESSAGES, scope, search],
    queryFn: ({ pageParam, signal }) => readPage(scope, search, { cursor: pageParam, limit: limit(), signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.cursor,
    staleTime: Number.POSITIVE_INFINITY,
    // Comparing a hundred thousand messages with themselves for each page that comes would be felt.
    structuralSharing: false,
  });
}

const pathOf = ({ accountId, messageId }: MessageName) => ({ account_id: accountId, message_id: messageId });

/** One message; what was stored never changes, so that it is read once. */
export function messageQuery(name: MessageName, images: Images) {
  return queryOptions({
    queryKey: ["message", name.accountId, name.messageId, images],
    queryFn: ({ signal }) =>
      answered(
        api.GET("/accounts/{account_id}/messages/{message_id}", {
          params: { path: pathOf(name), query: { images } },
          signal,
        }),
      ),
    // The delivery of a mail that is being sent is still to come.
    staleTime: (query) => (query.state.data?.delivery?.state === "sending" ? 0 : Number.POSITIVE_INFINITY),
  });
}

/** A short-lived address of a message's octets, or of one of its attachments. */
export async function downloadAddress(name: MessageName, attachmentId?: string): Promise<string> {
  const headers = { Accept: "application/json" };
  const path = pathOf(name);
  const link = attachmentId
    ? api.GET("/accounts/{account_id}/messages/{message_id}/attachments/{attachment_id}", {
        params: { path: { ...path, attachment_id: attachmentId } },
        headers,
      })
    : api.GET("/accounts/{account_id}/messages/{message_id}/raw", { params: { path }, headers });
  return (await answered<Schemas["FileLinkOut"]>(link)).url;
}

/** Send a mail; the same key with the same mail sends it once, however often it is asked for. */
export async function sendMail(accountId: string, mail: MailOut, key: string): Promise<Sent> {
  return answered(
    api.POST("/accounts/{account_id}/send", {
      params: { path: { account_id: accountId }, header: { "idempotency-key": key } },
      // A stored file brings its own type, which the description takes for one that is always given.
      body: mail as Schemas["MailIn"],
    }),
  );
}
