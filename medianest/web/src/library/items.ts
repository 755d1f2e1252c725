import type { Item } from "../api/schema";
import { say } from "../strings/house";

/** Whether one has watched it, or all of it. */
export function isSeen(item: Item): boolean {
  return item.views > 0 && (item.episodes === null || item.views >= item.episodes);
}

/** What the drawn poster of an item goes by: the same for the same title wherever it is shown. */
export function seedOf(item: Item): number {
  return item.tmdb ?? Number(item.rating_key.replace(/\D/g, "") || 0);
}

export function kindOf(item: Item): string {
  if (item.type === "collection") return say.library.collection;
  return item.library ?? (item.type === "movie" ? say.kind.movie : say.kind.tv);
}

/** "Fleabag · Season 2", "Fleabag · Season 2 · Episode 1", or the title. */
export function nameOf(item: Item): string {
  if (item.type === "season") return [item.show, say.titles.season(item.number ?? 0)].filter(Boolean).join(" · ");
  if (item.type === "episode") return [item.show, item.title].filter(Boolean).join(" · ");
  return item.title;
}
