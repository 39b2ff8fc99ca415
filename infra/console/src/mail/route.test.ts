import { expect, test } from "vitest";
import { addressOf, type MailRoute, NEW_MAIL, NO_SEARCH, routeOf } from "./route";

const read = (address: string) => {
  const [path = "", query = ""] = address.split("?");
  return routeOf(path, query);
};
const name = { accountId: "gokho7ixu7aumyvhixgp", messageId: "01m1emr7v8x4c5dvjr82c9c4dw" };

test.each<MailRoute>([
  { scope: null, search: NO_SEARCH, beside: { kind: "nothing" } },
  { scope: "all", search: NO_SEARCH, beside: { kind: "message", name } },
  { scope: name.accountId, search: NO_SEARCH, beside: NEW_MAIL },
  { scope: "all", search: { ...NO_SEARCH, q: "x" }, beside: { ...NEW_MAIL, to: "anna+a&b%20@example.com" } },
  { scope: "all", search: NO_SEARCH, beside: { ...NEW_MAIL, answering: { how: "reply-all", name } } },
  {
    scope: "all",
    search: {
      q: "họp & 100%",
      sender: "anna",
      subject: "a=b",
      since: "2026-01-01",
      before: "2026-02-01",
      kind: "sent",
    },
    beside: { kind: "message", name },
  },
])("an address leads back to the route it was made of", (route) => {
  expect(read(addressOf(route))).toEqual(route);
});

test("what makes no sense in an address is left out", () => {
  expect(read("/mail/all/nonsense?since=yesterday&before=2026-13-01&kind=odd&page=2")).toEqual({
    scope: "all",
    search: NO_SEARCH,
    beside: { kind: "nothing" },
  });
});
