import { Link } from "wouter";
import type { Found } from "../api/schema";
import { titlePath } from "../app/routes";
import { say } from "../strings/door";
import { Badge } from "../ui/Badge";
import { Poster } from "../ui/Poster";
import { standingOf } from "./standing";

/** A title on the shelf; its badge says whether it is there, or on its way. */
export function TitleCard({ found }: { readonly found: Found }) {
  const standing = standingOf(found.state, found.requested);
  return (
    <li>
      <Link href={titlePath(found.kind, found.tmdb)} className="group block">
        <div className="relative transition-transform duration-200 group-hover:-translate-y-1">
          <Poster title={found.title} kind={say.kind[found.kind]} seed={found.tmdb} of={found.poster_path ? found : null} />
          {standing && (
            <span className="absolute inset-x-1.5 top-1.5 flex">
              <Badge onPicture tone={standing.tone}>
                {standing.word}
              </Badge>
            </span>
          )}
        </div>
        <p dir="auto" className="mt-2 truncate text-sm font-medium">{found.title}</p>
        <p className="truncate text-xs text-quiet">{[found.year, say.kind[found.kind]].filter(Boolean).join(" · ")}</p>
      </Link>
    </li>
  );
}
