import { expect, test } from "vitest";
import { askAgain } from "./again";
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
