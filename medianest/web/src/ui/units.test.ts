import { expect, test } from "vitest";
import { atClock, bytes, countdown, duration, fromNow } from "./units";

const noon = new Date(2026, 0, 2, 12, 0, 0);

test("a moment is told by its distance", () => {
  expect(fromNow(new Date(noon.getTime() - 59_000), noon.getTime())).toBe("just now");
  expect(fromNow(new Date(noon.getTime() - 3 * 60_000), noon.getTime())).toBe("3 min ago");
  expect(fromNow(new Date(noon.getTime() + 7_200_000), noon.getTime())).toBe("in 2 hr");
});

test("a moment of another day has its day", () => {
  expect(atClock(new Date(2026, 0, 2, 9, 5), noon)).toBe("09:05");
  expect(atClock(new Date(2026, 0, 1, 9, 5), noon)).toBe("1 Jan, 09:05");
});

test("sizes are told in units of a thousand", () => {
  expect(bytes(0)).toBe("0 B");
  expect(bytes(999)).toBe("999 B");
  expect(bytes(1_440)).toBe("1.4 kB");
  expect(bytes(12_400_000)).toBe("12 MB");
});

test("what is left is told in units one would say", () => {
  expect(duration(39.6)).toBe("40 s");
  expect(duration(190)).toBe("3 min");
  expect(duration(4_800)).toBe("1 h 20 min");
  expect(duration(3_590)).toBe("1 h");
  expect(countdown(247.9)).toBe("4:07");
  expect(countdown(-1)).toBe("0:00");
});
