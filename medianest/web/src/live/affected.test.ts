import { expect, test } from "vitest";
import { touchedBy } from "./affected";

test("an event says which pages it changes, a signal changes none", () => {
  expect(touchedBy("request.changed")).toContain("requests");
  expect(touchedBy("request.joined")).toContain("dashboard");
  expect(touchedBy("notices.changed")).toEqual(["notices", "audit"]);
  expect(touchedBy("service.changed")).toContain("plex");
  expect(touchedBy("download.progress")).toEqual([]);
  expect(touchedBy("ready")).toEqual([]);
});
