/** Checking for mail now. */
import { type Counted, plural } from "../plural";

export const checking = {
  checkNow: "Check now",
  checkNowOf: (name: string) => `Check now: ${name}`,
  checking: "Checking",
  checkingOf: (name: string) => `Checking: ${name}`,
  connecting: "Connecting to the mail server",
  progressOf: (name: string) => `Collecting ${name}`,
  settled: (done: string, total: Counted) => `${done} of ${plural(total, "message", "messages")}`,
  done: (name: string, stored: Counted) =>
    stored.number === 0 ? `${name}: nothing new.` : `${name}: ${plural(stored, "new message", "new messages")}.`,
  moreToCome: (name: string, stored: Counted, remaining: Counted) =>
    `${name}: ${plural(stored, "new message", "new messages")}; ${plural(remaining, "more waits", "more wait")} on the server.`,
  failed: (name: string, why: string) => `${name} could not be checked. ${why}`,
  takesLong: (name: string) => `The check of ${name} takes longer than usual. It goes on by itself.`,
};
