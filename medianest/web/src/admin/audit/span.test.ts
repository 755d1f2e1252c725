import { afterEach, expect, test, vi } from "vitest";
import { marksOf, SPANS } from "./span";

afterEach(() => vi.unstubAllEnvs());

test("each day begins at midnight, also where clocks are changed, and the last one is today", () => {
  vi.stubEnv("TZ", "Europe/Berlin");
  const now = new Date("2026-11-05T12:00:00Z");
  const marks = marksOf("month", now);
  expect(marks).toHaveLength(SPANS.month.steps + 1);
  expect(new Set(marks.map((mark) => mark.getHours()))).toEqual(new Set([0]));
  expect(new Set(marks.map((mark) => mark.toDateString())).size).toBe(marks.length);
  expect(marks.at(-2)?.toISOString()).toBe("2026-11-04T23:00:00.000Z");
  expect(marks.find((mark) => mark.getDate() === 25 && mark.getMonth() === 9)?.toISOString()).toBe("2026-10-24T22:00:00.000Z");
});

test("hours are an hour each, through a change of clocks too, and the last one is this one", () => {
  vi.stubEnv("TZ", "Europe/Berlin");
  const marks = marksOf("day", new Date("2026-10-25T10:20:30Z"));
  expect(marks.at(-2)?.toISOString()).toBe("2026-10-25T10:00:00.000Z");
  expect(marks.slice(1).every((mark, number) => mark.getTime() - (marks[number]?.getTime() ?? 0) === 3_600_000)).toBe(true);
});
