import { expect, test } from "vitest";
import { linkified, passages } from "./linkify";

const links = (text: string) => linkified(text).flatMap((piece) => ("href" in piece ? [[piece.text, piece.href]] : []));

test.each([
  ["see https://example.com/a?b=c#d.", [["https://example.com/a?b=c#d", "https://example.com/a?b=c#d"]]],
  ["(https://example.com/x_(y))", [["https://example.com/x_(y)", "https://example.com/x_(y)"]]],
  ["www.example.com, please", [["www.example.com", "https://www.example.com/"]]],
  ["<https://example.com/>", [["https://example.com/", "https://example.com/"]]],
  ["write to anna.b@example.com!", [["anna.b@example.com", "mailto:anna.b@example.com"]]],
  ["javascript:alert(1) data:text/html,x file:///etc", []],
  ["https:// and http://", []],
])("%s", (text, expected) => {
  expect(links(text)).toEqual(expected);
});

test("the pieces together are the text", () => {
  const text = "a https://example.com b\nc@d.example, e";
  expect(
    linkified(text)
      .map((piece) => piece.text)
      .join(""),
  ).toBe(text);
});

test("a long text of nothing but candidates is read in a moment", () => {
  const begun = performance.now();
  linkified("a.".repeat(50_000));
  linkified(`http://${")".repeat(20_000)}`);
  expect(performance.now() - begun).toBeLessThan(2_000);
});

test("quoted lines are passages of their own", () => {
  expect(passages("Yes\n> Lunch?\n> Noon?\nAnna")).toEqual([
    { quoted: false, text: "Yes" },
    { quoted: true, text: "> Lunch?\n> Noon?" },
    { quoted: false, text: "Anna" },
  ]);
});
