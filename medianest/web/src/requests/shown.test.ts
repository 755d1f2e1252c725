import { expect, test } from "vitest";
import { paramsOf, pathOf, shownOf } from "./shown";

const read = (address: string) => shownOf(new URLSearchParams(address));

test("what is looked at stands in the address, and is read from it again", () => {
  const shown = { filter: "approval", everybody: true } as const;
  expect(paramsOf(shown)).toEqual({ whose: "everybody", show: "approval" });
  expect(read("whose=everybody&show=approval")).toEqual(shown);
  expect(pathOf(shown)).toBe("/requests?whose=everybody&show=approval");
});

test("the usual needs no words in the address, and what is made up shows the usual", () => {
  const usual = { filter: null, everybody: false };
  expect(paramsOf(usual)).toEqual({});
  expect(read("")).toEqual(usual);
  expect(read("whose=nobody&show=toString")).toEqual(usual);
});
