import { expect, test } from "vitest";
import { askAgain, pauseMs, tryOnceMore } from "./again";
import { strange, unreachable, Problem } from "./problem";

const refused = new Problem({ code: "not-found", title: "No", remedy: "", status: 404 });

test("what failed for now is asked for again, what was refused is not", () => {
  expect(askAgain({ error: unreachable(), data: undefined })).toBeGreaterThan(0);
  expect(askAgain({ error: strange(503), data: undefined })).toBeGreaterThan(0);
  expect(askAgain({ error: refused, data: undefined })).toBe(false);
});

test("what is of before is asked for again until it is new", () => {
  expect(askAgain({ error: null, data: { items: [], as_of: "2026-11-01T10:00:00Z" } })).toBeGreaterThan(0);
  expect(askAgain({ error: null, data: { pages: [{ as_of: null }, { as_of: "2026-11-01T10:00:00Z" }] } })).toBeGreaterThan(0);
  expect(askAgain({ error: null, data: { items: [], as_of: null } })).toBe(false);
  expect(askAgain({ error: null, data: { requests: [], as_of: 17 } })).toBe(false);
});

test("what is still on its way is asked for again at once, be it all of a page or a part", () => {
  const later = askAgain({ error: unreachable(), data: undefined });
  expect(askAgain({ error: null, data: { items: [], as_of: "2026-11-01T10:00:00Z", still_asked: true } })).toBeLessThan(Number(later));
  expect(askAgain({ error: null, data: { pages: [{ still_asked: false }, { still_asked: true }] } })).toBeLessThan(Number(later));
  expect(askAgain({ error: null, data: { items: [], as_of: null, still_asked: false } })).toBe(false);
});

test("what an outside system is still asked has not failed, and is asked for at an even pace until it has", () => {
  const underWay = new Problem({ code: "seerr-still-asked", title: "Not yet", remedy: "", status: 503 });
  expect(tryOnceMore(30, underWay)).toBe(true);
  expect(tryOnceMore(1_000, underWay)).toBe(false);
  expect(pauseMs(0, underWay)).toBe(pauseMs(20, underWay));
  expect(tryOnceMore(1, unreachable())).toBe(true);
  expect(tryOnceMore(30, unreachable())).toBe(false);
  expect(tryOnceMore(0, refused)).toBe(false);
});
