import { describe, expect, it } from "vitest";
import { moved } from "./order";

describe("a move", () => {
  const order = ["a", "b", "c", "d"];
  it.each([
    ["down", 0, 2, "bcad"],
    ["up", 3, 1, "adbc"],
    ["to where it is", 1, 1, "abcd"],
    ["beyond the end, which is none", 3, 4, "abcd"],
    ["before the beginning, which is none", 0, -1, "abcd"],
  ])("goes %s", (_, from, to, expected) => {
    expect(moved(order, from, to).join("")).toBe(expected);
  });
});
