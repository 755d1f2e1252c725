import { expect, test } from "vitest";
import { byTheClock, isAhead, momentOf } from "./place";

test("a number is a position, and anything else a moment by the clock of who looks", () => {
  expect(momentOf("117")).toBe("117");
  expect(momentOf("2026-11-24T10:30")).toBe(new Date("2026-11-24T10:30").toISOString());
  expect(momentOf("")).toBeUndefined();
});

test.each(["yesterday", "foo 5", "-5", "9".repeat(16), "2026-13-45T10:30", "12026-11-24T10:30"])("%s is no moment", (written) => {
  expect(momentOf(written)).toBeUndefined();
  expect(byTheClock(written)).toBeUndefined();
});

test("what lies ahead is told from what is over", () => {
  expect(isAhead("24", 23)).toBe(true);
  expect(isAhead("23", 23)).toBe(false);
  expect(isAhead("24", undefined)).toBe(false);
  const now = new Date("2026-11-24T10:30").getTime();
  expect(isAhead("2026-11-24T10:31", 23, now)).toBe(true);
  expect(isAhead("2026-11-24T10:29", 23, now)).toBe(false);
  expect(isAhead("yesterday", 23, now)).toBe(false);
});
