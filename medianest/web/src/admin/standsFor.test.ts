import { expect, test } from "vitest";
import { chosenFor, FOUND, nameInSetting, NONE, withChoice } from "./standsFor";

test("the last word on a service counts, and no word lets it be found", () => {
  expect(chosenFor("plex", ["plex=3", "seerr=My requests", "plex=-"])).toBe(NONE);
  expect(chosenFor("seerr", ["plex=3", "seerr=My requests"])).toBe("My requests");
  expect(chosenFor("seerr", ["plex=3"])).toBe(FOUND);
});

test("a choice takes the place of the one before and leaves the other service alone", () => {
  expect(withChoice("plex", "4", ["plex=3", "seerr=-"])).toEqual(["seerr=-", "plex=4"]);
  expect(withChoice("plex", FOUND, ["plex=3", "seerr=-"])).toEqual(["seerr=-"]);
});

test("a monitor without a number goes by its name", () => {
  expect(nameInSetting({ monitor: 3, name: "Plex" })).toBe("3");
  expect(nameInSetting({ monitor: -1, name: "Plex" })).toBe("Plex");
});
