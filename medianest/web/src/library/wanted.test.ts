import { expect, test } from "vitest";
import { paramsOf, wantedOf } from "./wanted";

test("what is looked at survives the address", () => {
  const wanted = { order: "year", genre: "12", year: 1999, unwatched: true, collections: false } as const;
  expect(wantedOf(new URLSearchParams(paramsOf(wanted)))).toEqual(wanted);
});

test("an address that says nothing, or nonsense, shows what was added last", () => {
  const usual = { order: "added", genre: "", year: null, unwatched: false, collections: false } as const;
  expect(wantedOf(new URLSearchParams())).toEqual(usual);
  expect(wantedOf(new URLSearchParams("order=size&year=x&unwatched=no&show=all"))).toEqual(usual);
  expect(paramsOf(usual)).toEqual({});
});
