import type { Item } from "../api/schema";
import { say } from "../strings";
import { Poster } from "../ui/Poster";

/** What Plex has, as posters. */
export function PlexShelf({ items }: { readonly items: readonly Item[] }) {
  return (
    <ul className="shelf">
      {onceEach(items).map((item) => (
        <li key={item.rating_key}>
          <Poster title={item.show ?? item.title} kind={kindOf(item)} seed={seedOf(item)} ticket={item.poster} />
          <p className="mt-2 truncate text-sm font-medium">{item.show ?? item.title}</p>
          <p className="truncate text-xs text-quiet">{below(item)}</p>
        </li>
      ))}
    </ul>
  );
}

/** Of a show's seasons and episodes only the newest. */
function onceEach(items: readonly Item[]): Item[] {
  const seen = new Set<string>();
  return items.filter(({ show }) => show === null || (!seen.has(show) && seen.add(show)));
}

function seedOf(item: Item): number {
  return item.tmdb ?? Number(item.rating_key.replace(/\D/g, "") || 0);
}

function kindOf(item: Item): string {
  return item.library ?? (item.type === "movie" ? say.kind.movie : say.kind.tv);
}

function below(item: Item): string {
  if (item.type === "season") return say.discover.season(item.number ?? 0);
  if (item.type === "episode") return `${say.discover.season(item.season ?? 0)} · ${item.title}`;
  return String(item.year ?? item.library ?? "");
}
