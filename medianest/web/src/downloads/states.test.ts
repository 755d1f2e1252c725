import { expect, test } from "vitest";
import { actionFor, isThere } from "./states";

test("what runs can be stopped, what did not come can be tried again, what is gone fetched again, what is there needs nothing", () => {
  expect(actionFor("removed")).toBe("again");
  expect(actionFor("downloading")).toBe("cancel");
  expect(actionFor("failed")).toBe("retry");
  expect(actionFor("in_plex")).toBeUndefined();
  expect((["stored", "in_plex", "removed", "downloading"] as const).map(isThere)).toEqual([true, true, false, false]);
});
