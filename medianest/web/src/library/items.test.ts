import { expect, test } from "vitest";
import type { Item } from "../api/schema";
import { isSeen, nameOf } from "./items";

const FILM = { type: "movie", title: "Dune", show: null, number: null, episodes: null, views: 0 } as Item;

test("a film is seen once it was watched, a show once all its episodes were", () => {
  expect(isSeen(FILM)).toBe(false);
  expect(isSeen({ ...FILM, views: 2 })).toBe(true);
  expect(isSeen({ ...FILM, type: "show", episodes: 6, views: 5 })).toBe(false);
  expect(isSeen({ ...FILM, type: "show", episodes: 6, views: 6 })).toBe(true);
});

test("a season and an episode say whose they are", () => {
  expect(nameOf({ ...FILM, type: "season", title: "Season 2", show: "Fleabag", number: 2 })).toBe("Fleabag · Season 2");
  expect(nameOf({ ...FILM, type: "episode", title: "Episode 1", show: "Fleabag" })).toBe("Fleabag · Episode 1");
  expect(nameOf(FILM)).toBe("Dune");
});
