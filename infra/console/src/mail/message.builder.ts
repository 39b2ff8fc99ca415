/** A message for tests, of which only what matters is said. */
import type { Message } from "../api/messages";

export function message(told: Partial<Message>): Message {
  return {
    id: "01m1emr7v8x4c5dvjr82c9c4dw",
    account_id: "gokho7ixu7aumyvhixgp",
    octets: 1265,
    dated: "2026-09-01T08:00:00Z",
    arrived: "2026-09-01T08:00:02Z",
    stored_at: "2026-09-01T08:05:00Z",
    sha256: "",
    subject: "Lunch",
    header_message_id: "<1@example.com>",
    from: [{ name: "Anna", address: "anna@example.com" }],
    to: [{ name: "", address: "me@example.org" }],
    cc: [],
    bcc: [],
    reply_to: [],
    headers: [],
    text: "Lunch at noon?",
    html: null,
    remote_images: 0,
    attachments: [],
    delivery: null,
    problems: [],
    ...told,
  };
}
