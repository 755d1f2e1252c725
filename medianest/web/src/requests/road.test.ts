import { expect, test } from "vitest";
import { canEnd, roadOf, STEPS } from "./states";

test("what waits for a decision stands at the approval", () => {
  for (const state of ["submitted", "awaiting_approval", "deferred", "sent"] as const) expect(roadOf({ state })).toEqual({ at: 1, isBroken: false });
});

test("what is in Plex has all its way behind it", () => {
  expect(roadOf({ state: "available" })).toEqual({ at: STEPS.length, isBroken: false });
});

test("a way that was cut off ends where it was", () => {
  expect(roadOf({ state: "declined" })).toEqual({ at: 1, isBroken: true });
  expect(roadOf({ state: "failed" })).toEqual({ at: 2, isBroken: true });
});

test("what was taken back has no way", () => {
  expect(roadOf({ state: "cancelled" })).toBeNull();
});

test("what is not being fetched can be ended, also when it failed", () => {
  for (const state of ["sent", "approved", "failed"] as const) expect(canEnd({ state })).toBe(true);
  for (const state of ["processing", "partially_available", "available", "declined", "cancelled", "merged"] as const) expect(canEnd({ state })).toBe(false);
});
