import type { Item } from "../api/schema";
import { ItemCard } from "../library/ItemCard";
import { say } from "../strings/house";

/** What Plex has, as posters: all of them, or in one row (`reel`). */
export function PlexShelf({ items, className = "shelf" }: { readonly items: readonly Item[]; readonly className?: string }) {
  return (
    <ul className={className}>
      {onceEach(items).map((item) => (
        <ItemCard key={item.rating_key} item={item} title={item.show ?? item.title} below={below(item)} />
      ))}
    </ul>
  );
}

/** Of a show's seasons and episodes only the newest. */
function onceEach(items: readonly Item[]): Item[] {
  const seen = new Set<string>();
  return items.filter(({ show }) => show === null || (!seen.has(show) && seen.add(show)));
}

function below(item: Item): string {
  if (item.type === "season") return say.titles.season(item.number ?? 0);
  if (item.type === "episode") return `${say.titles.season(item.season ?? 0)} · ${item.title}`;
  return String(item.year ?? item.library ?? "");
}
