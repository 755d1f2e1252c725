import { expect, test } from "vitest";
import { actionFor } from "./states";

test("what runs can be stopped, what did not come can be tried again, what is there needs nothing", () => {
  expect(actionFor("downloading")).toBe("cancel");
  expect(actionFor("failed")).toBe("retry");
  expect(actionFor("in_plex")).toBeUndefined();
});
