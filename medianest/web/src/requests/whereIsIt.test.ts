import { expect, test } from "vitest";
import { whereIsIt } from "./whereIsIt";

test("why it was declined is said in words, never by the name the reason has between programs", () => {
  expect(whereIsIt({ state: "declined", why: "no-space", waiting: null })).toBe("It was declined: there’s no space left for it.");
  expect(whereIsIt({ state: "declined", why: "a-reason-of-tomorrow", waiting: null })).toBe("It was declined.");
});

test("what waits says why, and when it is tried next, by the clock of who reads it", () => {
  const noon = new Date(2026, 0, 2, 12);
  const waiting = { attempts: 2, next_at: new Date(2026, 0, 2, 14, 5).toISOString(), words: "2 times it did not work." };
  expect(whereIsIt({ state: "deferred", why: "Seerr is down.", waiting }, noon)).toBe("Seerr is down. Next try 14:05.");
  expect(whereIsIt({ state: "submitted", why: null, waiting }, noon)).toBe("2 times it did not work. Next try 14:05.");
  const givenUp = { attempts: 1, next_at: null, words: "It was given up: ask an admin." };
  expect(whereIsIt({ state: "deferred", why: "Seerr is down.", waiting: givenUp }, noon)).toBe("Seerr is down. It was given up: ask an admin.");
  expect(whereIsIt({ state: "deferred", why: "Seerr is down.", waiting: null }, noon)).toBe("Seerr is down.");
  expect(whereIsIt({ state: "processing", why: null, waiting: null }, noon)).toBe("Found. It’s being fetched.");
});
