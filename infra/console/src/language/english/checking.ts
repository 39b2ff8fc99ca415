/** Checking for mail now. */
export const checking = {
  checkNow: "Check now",
  checkNowOf: (name: string) => `Check now: ${name}`,
  checking: "Checking",
  checkingOf: (name: string) => `Checking: ${name}`,
  connecting: "Connecting to the mail server",
  progressOf: (name: string) => `Collecting ${name}`,
  settled: (done: string, total: string) => `${done} of ${total} messages`,
  done: (name: string, stored: number) =>
    stored === 0 ? `${name}: nothing new.` : `${name}: ${stored} new ${stored === 1 ? "message" : "messages"}.`,
  moreToCome: (name: string, stored: number, remaining: number) =>
    `${name}: ${stored} new ${stored === 1 ? "message" : "messages"}; ${remaining} more wait on the server.`,
  failed: (name: string, why: string) => `${name} could not be checked. ${why}`,
  takesLong: (name: string) => `The check of ${name} takes longer than usual. It goes on by itself.`,
};
