import { expect, test, vi } from "vitest";
import { readAgainSoon, saw, seen, whenBehind } from "./seen";

test("what a page knows of never goes back", () => {
  saw(7);
  saw(3);
  saw(null);
  expect(seen()).toBe(7);
});

test("however many answers are old, all is read again once", () => {
  vi.useFakeTimers();
  const act = vi.fn();
  whenBehind(act);
  readAgainSoon();
  readAgainSoon();
  vi.runAllTimers();
  expect(act).toHaveBeenCalledTimes(1);
  readAgainSoon();
  vi.runAllTimers();
  expect(act).toHaveBeenCalledTimes(2);
});
