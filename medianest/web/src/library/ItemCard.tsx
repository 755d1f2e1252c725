import { Link } from "wouter";
import type { Item } from "../api/schema";
import { itemPath } from "../app/routes";
import { say } from "../strings/house";
import { Poster } from "../ui/Poster";
import { isSeen, kindOf, seedOf } from "./items";
import { WatchInPlex } from "./WatchInPlex";

// Always there for fingers; a mouse or the keyboard brings it out.
const ON_POSTER =
  "absolute top-1 right-1 rounded-full bg-black/60 text-white transition-opacity hover:bg-black/80 pointer-fine:opacity-0 pointer-fine:group-hover:opacity-100 pointer-fine:focus-visible:opacity-100";

/** Something of the library on a shelf. */
export function ItemCard({ item, title = item.title, below = lineOf(item) }: { readonly item: Item; readonly title?: string; readonly below?: string }) {
  return (
    <li className="group relative">
      <Link href={itemPath(item.rating_key)} className="block">
        <div className="transition-transform duration-200 group-hover:-translate-y-1">
          <Poster title={title} kind={kindOf(item)} seed={seedOf(item)} of={item.poster ? { ticket: item.poster } : null} />
        </div>
        <p dir="auto" className="mt-2 truncate text-sm font-medium">{title}</p>
        <p className="truncate text-xs text-quiet">{below}</p>
      </Link>
      {item.type !== "collection" && <WatchInPlex item={item} className={ON_POSTER} />}
    </li>
  );
}

function lineOf(item: Item): string {
  if (item.type === "collection") return say.library.titlesIn(item.episodes ?? 0);
  const parts = [item.year, item.type !== "movie" && item.episodes && say.titles.episodes(item.episodes), isSeen(item) && say.library.seen];
  return parts.filter(Boolean).join(" · ") || "–";
}
