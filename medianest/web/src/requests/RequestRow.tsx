import type { ReactNode } from "react";
import { Link } from "wouter";
import type { RequestView } from "../api/schema";
import { requestPath } from "../app/routes";
import { say } from "../strings/house";
import { Badge } from "../ui/Badge";
import { Poster } from "../ui/Poster";
import { useFromNow } from "../ui/useFromNow";
import { HowFar } from "./HowFar";
import { isMoving, TONES } from "./states";

/** One request in a list: what, how far, and when that changed. */
export function RequestRow({ request, choice }: { readonly request: RequestView; readonly choice?: ReactNode }) {
  const fromNow = useFromNow();
  const { title, year, kind, is4k, seasons, state } = request;
  return (
    <li className="group relative flex min-w-0 items-center gap-4 rounded-xl bg-raised p-3 transition-colors focus-within:bg-sunken hover:bg-sunken">
      {choice}
      <div className="w-14 shrink-0">
        <Poster title={title} kind="" seed={request.tmdb} of={request} size="small" />
      </div>
      <div className="min-w-0 grow">
        <p dir="auto" className="truncate font-medium">
          <Link href={requestPath(request.request)} className="outline-none after:absolute after:inset-0 after:rounded-xl focus-visible:after:outline-2 focus-visible:after:outline-accent">
            {title}
          </Link>{" "}
          <span className="font-normal text-quiet">{year}</span>
        </p>
        <p className="truncate text-xs text-quiet">
          {[seasons.length > 0 ? say.requests.seasons(seasons) : say.kind[kind], is4k && say.requests.in4k, request.by && say.requests.by(request.by), request.external && say.requests.external]
            .filter(Boolean)
            .join(" · ")}
        </p>
        <div className="mt-1.5 flex items-center justify-between gap-3">
          <Badge tone={TONES[state]}>{say.requestState[state]}</Badge>
          <time dateTime={request.changed_at} className="truncate text-xs text-quiet">
            {fromNow(new Date(request.changed_at))}
          </time>
        </div>
        {isMoving(request) && <HowFar request={request} />}
      </div>
    </li>
  );
}
