import { describe, expect, it } from "vitest";
import { ApiFailure } from "../api/client";
import { english } from "../language/english";
import { fieldProblems } from "./field-problems";

describe("what of a failure belongs to single fields", () => {
  it("is what the API names them for", () => {
    const fields = [{ field: "incoming.port", problem: "is required" }];
    const failure = new ApiFailure(422, "invalid_request", "", { fields });
    expect(fieldProblems(failure, english)).toEqual({ "incoming.port": "This is required." });
  });
  it("is the field in front of a rule's sentence", () => {
    const failure = new ApiFailure(422, "invalid_account", "incoming.password: give the password again.");
    expect(fieldProblems(failure, english)).toEqual({ "incoming.password": "Give the password again." });
  });
  it("is nothing where no field is named", () => {
    expect(fieldProblems(new ApiFailure(409, "too_many_accounts", "Too many: 50."), english)).toEqual({});
  });
});
