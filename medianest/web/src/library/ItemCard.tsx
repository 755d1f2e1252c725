import { Link } from "wouter";
import type { Item } from "../api/schema";
import { itemPath } from "../app/routes";
import { say } from "../strings";
import { Poster } from "../ui/Poster";
import { isSeen, kindOf, seedOf } from "./items";

/** Something of the library on a shelf. */
export function ItemCard({ item, title = item.title, below = lineOf(item) }: { readonly item: Item; readonly title?: string; readonly below?: string }) {
  return (
    <li>
      <Link href={itemPath(item.rating_key)} className="group block">
        <div className="transition-transform duration-200 group-hover:-translate-y-1">
          <Poster title={title} kind={kindOf(item)} seed={seedOf(item)} ticket={item.poster} />
        </div>
        <p className="mt-2 truncate text-sm font-medium">{title}</p>
        <p className="truncate text-xs text-quiet">{below}</p>
      </Link>
    </li>
  );
}

function lineOf(item: Item): string {
  if (item.type === "collection") return say.library.titlesIn(item.episodes ?? 0);
  const parts = [item.year, item.type !== "movie" && item.episodes && say.discover.episodes(item.episodes), isSeen(item) && say.library.seen];
  return parts.filter(Boolean).join(" · ") || "–";
}
