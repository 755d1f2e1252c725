import type { Moment, RequestView } from "../api/schema";
import { atClock } from "../ui/units";
import { isMoving } from "./states";

/** What happened, newest last, in the server's own words. */
export function TimelineOf({ items, request }: { readonly items: readonly Moment[]; readonly request: RequestView }) {
  return (
    <ol className="relative ml-1.5 border-l border-line">
      {items.map((moment, index) => {
        const isLast = index === items.length - 1;
        return (
          <li key={moment.position} className="relative pb-5 pl-6 last:pb-0">
            <span
              aria-hidden="true"
              className={`absolute top-1.5 -left-[5px] size-[9px] rounded-full ring-4 ring-paper ${isLast ? "bg-accent" : "bg-line"} ${isLast && isMoving(request) ? "animate-pulse" : ""}`}
            />
            <p dir="auto" className={isLast ? "font-medium" : ""}>{moment.words}</p>
            <time dateTime={moment.at} className="text-xs text-quiet tabular-nums">
              {atClock(new Date(moment.at))}
            </time>
          </li>
        );
      })}
    </ol>
  );
}
