import { describe, expect, it, test } from "vitest";
import { formatsOf } from "./formats";
import { languages, toldCode } from "./language";
import { plural } from "./plural";

const { en, vi } = languages;
const { counted } = formatsOf("en-GB");
const { counted: countedInVietnamese } = formatsOf("vi");

describe("a count in English", () => {
  it.each([
    [0, "0 messages"],
    [1, "1 message"],
    [2, "2 messages"],
    [12_000, "12,000 messages"],
  ])("of %s is %s", (number, told) => {
    expect(plural(counted(number), "message", "messages")).toBe(told);
  });
});

test("one and many are told apart wherever English counts", () => {
  const one = counted(1);
  const many = counted(12_000);
  expect(en.checking.settled("1", one)).toBe("1 of 1 message");
  expect(en.checking.done("Work", counted(0))).toBe("Work: nothing new.");
  expect(en.checking.done("Work", one)).toBe("Work: 1 new message.");
  expect(en.checking.moreToCome("Work", one, one)).toBe("Work: 1 new message; 1 more waits on the server.");
  expect(en.checking.moreToCome("Work", many, many)).toBe("Work: 12,000 new messages; 12,000 more wait on the server.");
  expect(en.settings.standing.stored(one)).toBe("1 new message");
  expect(en.settings.retrieval.messages(one)).toBe("1 message");
  expect(en.settings.retrieval.deletedAfter(one)).toBe("deleted at the provider after 1 day");
  expect(en.settings.retrieval.deletedAfter(counted(3650))).toBe("deleted at the provider after 3,650 days");
  expect(en.settings.history.chart(one, one, one)).toMatch(/^1 check: 1 message stored, 1 check failed\./);
  expect(en.settings.history.chart(many, many, counted(0))).toMatch(
    /^12,000 checks: 12,000 messages stored, 0 checks failed\./,
  );
  expect(en.mail.sentTo(one)).toBe("Sent to 1 recipient.");
});

test("Vietnamese has one form, and its counts are written as its readers write them", () => {
  const many = countedInVietnamese(12_000);
  expect(vi.checking.moreToCome("Work", countedInVietnamese(1), many)).toBe(
    "Work: 1 thư mới; còn 12.000 thư trên máy chủ.",
  );
  expect(vi.settings.history.chart(many, many, countedInVietnamese(1))).toContain(
    "12.000 lần kiểm tra: đã lưu 12.000 thư, 1 lần",
  );
  expect(vi.settings.retrieval.deletedAfter(countedInVietnamese(3650))).toContain("3.650 ngày");
});

test.each(["asset_not_found", "console_not_built"])("%s is told in either language", (code) => {
  for (const words of [en, vi]) expect(toldCode(words, code, "the API's own")).not.toBe("the API's own");
});
