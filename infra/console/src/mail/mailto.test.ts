import { describe, expect, it, test } from "vitest";
import { newDraft } from "./compose/beginning";
import { beginningOf, linkedTo } from "./mailto";
import { addressOf, NEW_MAIL, NO_SEARCH, routeOf } from "./route";

const nothing = { to: "", cc: "", subject: "", text: "" };

describe("a mailto: link begins a mail", () => {
  it.each([
    // RFC 6068, section 6
    ["mailto:chris@example.com", { to: "chris@example.com" }],
    ["mailto:infobot@example.com?subject=current-issue", { to: "infobot@example.com", subject: "current-issue" }],
    [
      "mailto:infobot@example.com?body=send%20current-issue%0D%0Asend%20index",
      { to: "infobot@example.com", text: "send current-issue\nsend index" },
    ],
    [
      "mailto:joe@example.com?cc=bob@example.com&body=hello",
      { to: "joe@example.com", cc: "bob@example.com", text: "hello" },
    ],
    [
      "mailto:?to=joe@example.com&cc=bob@example.com&body=hello",
      { to: "joe@example.com", cc: "bob@example.com", text: "hello" },
    ],
    ["mailto:gorby%25kremvax@example.com", { to: "gorby%kremvax@example.com" }],
    ["mailto:unlikely%3Faddress@example.com?blat=foop", { to: "unlikely?address@example.com" }],
    [
      "mailto:user@example.org?subject=caf%C3%A9&body=caf%C3%A9",
      { to: "user@example.org", subject: "café", text: "café" },
    ],
    ["mailto:user@%E7%B4%8D%E8%B1%86.example.org", { to: "user@納豆.example.org" }],
    // several
    ["mailto:a@example.com,b@example.com?to=c@example.com", { to: "a@example.com, b@example.com, c@example.com" }],
    [
      "MAILTO:a@example.com?CC=b@example.com%2Cc@example.com&cc=d@example.com",
      { to: "a@example.com", cc: "b@example.com, c@example.com, d@example.com" },
    ],
    ["mailto:?subject=one&subject=two", { subject: "one" }],
    // as others write them
    ["mailto:Anna%20Example%20%3Canna@example.com%3E", { to: "anna@example.com" }],
    ["mailto:anna+lists@example.com?subject=a+b", { to: "anna+lists@example.com", subject: "a+b" }],
    [
      "mailto:anna@example.com?subject=100%&body=%E9%20%20x",
      { to: "anna@example.com", subject: "100%", text: "%E9%20%20x" },
    ],
    ["mailto:anna@example.com?subject=why?&body=a=b#part", { to: "anna@example.com", subject: "why?", text: "a=b" }],
    ["mailto:anna", { to: "anna" }],
    ["mailto:", {}],
    // whom a mail is for
    ["anna@example.com", { to: "anna@example.com" }],
    ["", {}],
  ])("%s", (link, begun) => {
    expect(beginningOf(link)).toEqual({ ...nothing, ...begun });
  });
});

test("a link fills in nothing that its reader would not see, and no header of its own", () => {
  const link =
    "mailto:a@example.com?bcc=spy@example.com&attach=/etc/passwd&attachment=x&from=boss@example.com&reply-to=spy@example.com&in-reply-to=%3C1@x%3E";
  expect(beginningOf(link)).toEqual({ ...nothing, to: "a@example.com" });
  expect(newDraft("a", link)).toMatchObject({ to: "a@example.com", bcc: "", files: [], thread: null });
});

test("controls make no second line of a line, and nothing is read otherwise than it is", () => {
  const link =
    "mailto:a%0D%0ABcc:%20b@example.com?subject=Hi%0D%0ABcc:%20spy@example.com%00%E2%80%AEx&body=a%00b%1B%5B2J%0Dc%09d%E2%80%AE";
  expect(beginningOf(link)).toEqual({
    to: "a Bcc: b@example.com",
    cc: "",
    subject: "Hi Bcc: spy@example.com x",
    text: "ab[2J\nc\td",
  });
});

test("what a link brings is bounded, and no address is cut", () => {
  const many = Array.from({ length: 500 }, (_, at) => `number-${at}@example.com`);
  const begun = beginningOf(
    `mailto:${many.join(",")},${"x".repeat(5_000)}?subject=${"s".repeat(9_000)}&body=${"🙂".repeat(9_000)}`,
  );
  expect(begun.to.split(", ")).toEqual(many.slice(0, 100));
  expect(begun.subject).toHaveLength(500);
  expect(begun.text).toBe("🙂".repeat(5_000));
  expect(beginningOf(`mailto:a@example.com?body=${"x".repeat(2_000_000)}`)).toEqual(nothing);
});

test("a link of nothing but blanks and brackets is read in a moment", () => {
  const begun = performance.now();
  beginningOf(`mailto:${"%20".repeat(50_000)}<`);
  beginningOf(`mailto:${"<".repeat(100_000)}`);
  beginningOf(`mailto:?cc=${"%20%3C".repeat(25_000)}`);
  beginningOf(`mailto:?${"&".repeat(100_000)}`);
  expect(performance.now() - begun).toBeLessThan(3_000);
});

describe("in an address of the console", () => {
  it.each([
    ["mailto:anna@example.com", "anna@example.com"],
    ["mailto:anna@example.com?bcc=spy@example.com", "anna@example.com"],
    ["mailto:?subject=Hi%20there", "mailto:?subject=Hi%20there"],
    ["mailto:anna@example.com?body=a%0Ab&x=y&subject=%26", "mailto:anna%40example.com?subject=%26&body=a%0D%0Ab"],
  ])("%s stands as %s", (link, stands) => {
    expect(linkedTo(link)).toBe(stands);
  });

  it("a link stands with all that is taken of it", () => {
    const link =
      "mailto:a@example.com,b@example.com?cc=c@example.com&subject=h%E1%BB%8Dp%20%26%20100%25&body=M%E1%BB%99t%0D%0A%F0%9F%99%82";
    const linked = linkedTo(link);
    const [path = "", query = ""] = addressOf({
      scope: "all",
      search: NO_SEARCH,
      beside: { ...NEW_MAIL, to: linked },
    }).split("?");
    const { beside } = routeOf(path, query);
    expect(beside).toEqual({ ...NEW_MAIL, to: linked });
    expect(beginningOf(linked)).toEqual(beginningOf(link));
    expect(linkedTo(linked)).toBe(linked);
  });
});
