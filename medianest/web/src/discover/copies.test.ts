import { expect, test } from "vitest";
import type { Detail } from "../api/schema";
import { copiesOf } from "./copies";

const season = { number: 1, title: "One", episodes: 8, state: "available" as const, state4k: "processing" as const };
const usual = { kind: "tv", state: "available", state4k: "unknown", seasons: [season] };
const detail = (title: object, more: object = {}) =>
  ({ title: { ...usual, ...title }, requested: null, mine: false, requested_4k: null, may_ask_for_4k: false, ...more }) as Detail;

test("who may not ask for 4K sees no 4K copy unless there is one", () => {
  expect(copiesOf(detail({}))).toHaveLength(1);
  expect(copiesOf(detail({ state4k: null }))).toHaveLength(1);
  expect(copiesOf(detail({ state4k: "available" }))).toHaveLength(2);
  expect(copiesOf(detail({}, { may_ask_for_4k: true }))).toHaveLength(2);
  expect(copiesOf(detail({}, { requested_4k: { state: "sent", mine: false, request: null, seasons: [] } }))).toHaveLength(2);
});

test("a 4K copy stands by itself, whole and by season", () => {
  const [first, second] = copiesOf(detail({}, { may_ask_for_4k: true }));
  expect([first?.title.state, first?.title.seasons[0]?.state]).toEqual(["available", "available"]);
  expect([second?.title.state, second?.title.seasons[0]?.state, second?.is4k]).toEqual(["unknown", "processing", true]);
});

test("seasons one has asked for are not offered again, though the request manager knows nothing of them yet", () => {
  const seasons = [1, 2, 3].map((number) => ({ ...season, number, state: number === 3 ? ("available" as const) : null }));
  const requested = { state: "sent" as const, mine: true, request: "r", seasons: [1, 3] };
  const [usual] = copiesOf(detail({ seasons }, { requested }));
  expect(usual?.title.seasons.map(({ state }) => state)).toEqual(["pending", null, "available"]);
});
