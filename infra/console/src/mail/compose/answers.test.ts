import { expect, test } from "vitest";
import { message } from "../message.builder";
import { forwardSubject, quoted, replyRecipients, replySubject, threadOf, wordsOf } from "./answers";
import { plainTextOf } from "./plain-text";

test.each([
  ["Lunch", "Re: Lunch"],
  ["Re: Lunch", "Re: Lunch"],
  ["RE: re: AW: Lunch", "Re: Lunch"],
  ["TL: Ăn trưa", "Re: Ăn trưa"],
  ["Re[2]: Lunch", "Re: Lunch"],
  ["Fwd: Lunch", "Re: Fwd: Lunch"],
  ["Regarding: Lunch", "Re: Regarding: Lunch"],
])("%s is answered as %s", (subject, expected) => {
  expect(replySubject(subject)).toBe(expected);
});

test.each([
  ["Lunch", "Fwd: Lunch"],
  ["FW: fwd: Lunch", "Fwd: Lunch"],
  ["Re: Lunch", "Fwd: Re: Lunch"],
])("%s is forwarded as %s", (subject, expected) => {
  expect(forwardSubject(subject)).toBe(expected);
});

const anna = { name: "Anna", address: "anna@example.com" };
const bert = { name: "Bert", address: "bert@example.com" };
const carl = { name: "Carl", address: "carl@example.com" };
const me = { name: "Me", address: "Me@Example.org" };

test("a reply goes to the sender, and elsewhere where the sender wants it", () => {
  expect(replyRecipients(message({ from: [anna], to: [me] }), false, ["me@example.org"]).to).toEqual([anna]);
  const redirected = message({ from: [anna], reply_to: [bert], to: [me] });
  expect(replyRecipients(redirected, false, ["me@example.org"]).to).toEqual([bert]);
});

test.each([
  ["a name", { name: "Support", address: "" }],
  ["a word where the address should be", { name: "", address: "Support" }],
])("a Reply-To that is %s sends the reply to nobody: the sender gets it", (_, nobody) => {
  const asked = message({ from: [anna], reply_to: [nobody], to: [me, bert], cc: [nobody] });
  expect(replyRecipients(asked, false, ["me@example.org"])).toEqual({ to: [anna], cc: [] });
  expect(replyRecipients(asked, true, ["me@example.org"])).toEqual({ to: [anna, bert], cc: [] });
  const both = message({ from: [anna], reply_to: [nobody, bert], to: [me] });
  expect(replyRecipients(both, false, ["me@example.org"]).to).toEqual([bert]);
});

test("a mail of one's own to a list that names nobody is answered to oneself", () => {
  const hidden = message({ from: [me], to: [{ name: "undisclosed-recipients", address: "" }] });
  expect(replyRecipients(hidden, false, ["me@example.org"]).to).toEqual([me]);
});

test("a reply to all leaves out oneself, and names nobody twice", () => {
  const asked = message({ from: [anna], to: [me, bert], cc: [carl, { ...anna, address: "ANNA@example.com" }] });
  expect(replyRecipients(asked, true, ["me@example.org"])).toEqual({ to: [anna, bert], cc: [carl] });
});

test("a mail of one's own is answered to those it went to", () => {
  const sent = message({
    from: [me],
    to: [anna],
    cc: [bert],
    delivery: { state: "sent", recipients: ["anna@example.com"], refused: [] },
  });
  expect(replyRecipients(sent, false, ["me@example.org"])).toEqual({ to: [anna], cc: [] });
  expect(replyRecipients(sent, true, ["me@example.org"])).toEqual({ to: [anna], cc: [bert] });
});

test("a reply to all of a mail to oneself still has a recipient", () => {
  expect(replyRecipients(message({ from: [me], to: [me] }), true, ["me@example.org"]).to).toEqual([me]);
});

test("quoted words keep the depth they had", () => {
  expect(quoted("Anna wrote:", "Yes\n\n> Lunch?")).toBe("\n\nAnna wrote:\n> Yes\n>\n>> Lunch?\n");
});

test("a mail without text is quoted by the words of its HTML", () => {
  const html = "<style>p{}</style><p>Xin <b>chào</b>,</p><p>một<br>hai</p><ul><li>a</li><li>b</li></ul>";
  expect(plainTextOf(html)).toBe("Xin chào,\n\nmột\nhai\n\n- a\n\n- b");
  expect(wordsOf(message({ text: null, html: "<div>Hello</div>" }))).toBe("Hello");
});

test("another account goes on with the thread by its Message-IDs", () => {
  const asked = message({
    header_message_id: "<2@example.com>",
    headers: [{ name: "References", value: "<0@example.com>\n <1@example.com>" }],
  });
  expect(threadOf(asked)).toEqual({
    inReplyTo: "<2@example.com>",
    references: ["<0@example.com>", "<1@example.com>", "<2@example.com>"],
  });
  expect(threadOf(message({ header_message_id: "" }))).toBeNull();
});
