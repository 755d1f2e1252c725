import { expect, test } from "vitest";
import { say } from "./house";
import { ranges } from "./ranges";

test("seasons that follow each other are a range", () => {
  expect(ranges([5, 1, 2, 3])).toBe("1–3, 5");
  expect(say.requests.seasons([2])).toBe("Season 2");
});
