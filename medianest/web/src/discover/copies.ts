import type { Detail, Ours, TitleDetail } from "../api/schema";
import { isFree } from "./standing";

/** One of the two copies of a title that can be asked for, with how that one stands. */
export interface Copy {
  readonly title: TitleDetail;
  readonly requested: Ours | null;
  readonly is4k: boolean;
}

/** The usual copy; and that in 4K where one may ask for it, somebody has, or it is there. */
export function copiesOf({ title, requested, requested_4k, may_ask_for_4k }: Detail): Copy[] {
  const usual = { title: withAsked(title, requested), requested, is4k: false };
  const isKnown = title.state4k !== null && title.state4k !== "unknown";
  return may_ask_for_4k || requested_4k || isKnown ? [usual, { title: withAsked(in4k(title), requested_4k), requested: requested_4k, is4k: true }] : [usual];
}

/** What one asked for is not to be had once more, though the request manager knows nothing of it before somebody has approved. */
function withAsked(title: TitleDetail, ours: Ours | null): TitleDetail {
  const seasons = title.seasons.map((season) => (isFree(season) && ours?.seasons.includes(season.number) ? { ...season, state: "pending" as const } : season));
  return { ...title, seasons };
}

/** A title as its 4K copy stands. */
export function in4k(title: TitleDetail): TitleDetail {
  return { ...title, state: title.state4k ?? null, seasons: title.seasons.map((season) => ({ ...season, state: season.state4k ?? null })) };
}
