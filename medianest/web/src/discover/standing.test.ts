import { expect, test } from "vitest";
import { free, standingOf } from "./standing";

test("our own request says more than the request manager", () => {
  expect(standingOf("pending", { state: "failed", mine: true, request: "a", seasons: [] })?.word).toBe("Failed");
  expect(standingOf("available", null)?.tone).toBe("good");
});

test("what nobody asked for has no badge", () => {
  expect(standingOf(null, null)).toBeUndefined();
  expect(standingOf("unknown", null)).toBeUndefined();
});

test("only seasons that are neither there nor on their way can be asked for", () => {
  const seasons = [{ state: null }, { state: "available" as const }, { state: "deleted" as const }, { state: "processing" as const }];
  expect(free(seasons)).toEqual([{ state: null }, { state: "deleted" }]);
});
