import { expect, test } from "vitest";
import { isAddress, recipientsOf, written } from "./addresses";

test("people are read between commas, semicolons and line ends", () => {
  expect(recipientsOf('Anna <anna@example.com>, bert@example.org;\n"Böhm, Carl" <carl@example.net>,').people).toEqual([
    { name: "Anna", address: "anna@example.com" },
    { name: "", address: "bert@example.org" },
    { name: "Böhm, Carl", address: "carl@example.net" },
  ]);
});

test("what is no address is told as it was written", () => {
  expect(recipientsOf("Anna <anna@>, nobody, bert@example.org")).toEqual({
    people: [{ name: "", address: "bert@example.org" }],
    wrong: ["Anna <anna@>", "nobody"],
  });
});

test.each(["a@b.c", "anna+shop@sub.example.com", "nguyễn@thư.example.vn"])("%s is an address", (text) => {
  expect(isAddress(text)).toBe(true);
});

test.each(["", "a", "@b.c", "a@b", "a@@b.c", "a b@c.d", ".a@b.c", "a..b@c.d", "a@-b.c", "a@b..c"])(
  "%s is no address",
  (text) => {
    expect(isAddress(text)).toBe(false);
  },
);

test("what a field shows is read again as the same people", () => {
  const people = [
    { name: 'Carl "the cat" Böhm, Jr.', address: "carl@example.net" },
    { name: "Lê Thị Hoa", address: "hoa@example.vn" },
    { name: "", address: "bert@example.org" },
  ];
  expect(recipientsOf(written(people))).toEqual({ people, wrong: [] });
});
