import { describe, expect, it } from "vitest";
import { formatsOf, regionalTag } from "./formats";

const NOW = new Date("2026-11-26T15:00:00");

describe("dates", () => {
  it("are written as the browser's region does", () => {
    expect(regionalTag("en", ["vi-VN", "en-GB", "en"])).toBe("en-GB");
    expect(formatsOf("en-GB").day("2026-01-31")).toBe("31 Jan 2026");
  });
  it("are written as the language does where the browser has no region for it", () => {
    expect(regionalTag("vi", ["en-US"])).toBe("vi");
  });
  it("are the time today, the day this year, and the date before", () => {
    const formats = formatsOf("en-GB");
    expect(formats.brief("2026-11-26T09:05:00", NOW)).toBe("09:05");
    expect(formats.brief("2026-03-02T09:05:00", NOW)).toBe("2 Mar");
    expect(formats.brief("1999-03-02T09:05:00", NOW)).toBe("2 Mar 1999");
  });
  it("that are none are empty", () => {
    expect(formatsOf("en").brief("no date", NOW)).toBe("");
    expect(formatsOf("en").full(null)).toBe("");
  });
});
