import { describe, expect, it } from "vitest";
import { consentAddress } from "./consent-start";

describe("the address at which consent is given", () => {
  it.each([
    "https://login.example.com/authorize?state=s",
    "http://localhost:8080/authorize",
    "http://127.0.0.1:8080/authorize",
    "http://[::1]:8080/authorize",
  ])("may be %s", (address) => {
    expect(consentAddress(address)?.href).toBe(address);
  });
  it.each([
    "http://login.example.com/authorize",
    "http://localhost.example.com/",
    "javascript://localhost/%0aalert(1)",
    "data://127.0.0.1/text",
    "/authorize",
    "",
  ])("is never %s", (address) => {
    expect(consentAddress(address)).toBeNull();
  });
});
