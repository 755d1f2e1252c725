import { expect, test } from "vitest";
import { momentOf } from "./place";

test("a number is a position, and anything else a moment by the clock of who looks", () => {
  expect(momentOf("117")).toBe("117");
  expect(momentOf("2026-11-24T10:30")).toBe(new Date("2026-11-24T10:30").toISOString());
  expect(momentOf("yesterday")).toBeUndefined();
  expect(momentOf("")).toBeUndefined();
});
