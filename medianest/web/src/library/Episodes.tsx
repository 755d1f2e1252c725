import { Link } from "wouter";
import type { Item } from "../api/schema";
import { itemPath } from "../app/routes";
import { say } from "../strings/house";
import { Icon } from "../ui/Icon";
import { isSeen } from "./items";
import { WatchInPlex } from "./WatchInPlex";

/** The episodes of a season, in their order. */
export function Episodes({ items }: { readonly items: readonly Item[] }) {
  return (
    <ol className="divide-y divide-line rounded-xl border border-line bg-raised">
      {items.map((item) => (
        <li key={item.rating_key} className="flex items-center hover:bg-sunken">
          <Link href={itemPath(item.rating_key)} className="flex min-h-12 min-w-0 grow items-baseline gap-4 py-3 pl-4">
            <span className="w-6 shrink-0 text-right text-quiet tabular-nums">{item.number ?? ""}</span>
            <span className="min-w-0 grow">
              <span dir="auto" className="block truncate font-medium">{item.title}</span>
              {item.summary && <span className="line-clamp-2 text-sm text-quiet">{item.summary}</span>}
            </span>
            <span className="shrink-0 text-sm text-quiet">
              {item.duration_seconds ? say.titles.minutes(Math.max(1, Math.round(item.duration_seconds / 60))) : ""}
            </span>
            {isSeen(item) && (
              <span className="shrink-0 self-center text-good">
                <Icon name="check" />
                <span className="sr-only">{say.library.seen}</span>
              </span>
            )}
          </Link>
          <WatchInPlex item={item} className="mx-1 shrink-0 rounded-full text-quiet hover:text-ink" />
        </li>
      ))}
    </ol>
  );
}
