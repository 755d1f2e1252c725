import type { RequestView } from "../api/schema";
import { say } from "../strings/requests";
import { Icon } from "../ui/Icon";
import { roadOf, STEPS } from "./states";

/** The way of a request, from the wish into Plex: what lies behind it, where it is, and what is still to come. */
export function Road({ request }: { readonly request: RequestView }) {
  const road = roadOf(request);
  if (road === null) return null;
  return (
    <ol aria-label={say.requests.road} className="mt-5 grid max-w-xl grid-cols-4">
      {STEPS.map((step, number) => {
        const isDone = number < road.at;
        const isHere = number === road.at;
        const ink = isDone ? "bg-good text-paper" : !isHere ? "bg-line" : road.isBroken ? "bg-bad text-paper" : "bg-accent text-on-accent";
        return (
          <li key={step} className={`relative text-xs ${isHere ? "font-semibold" : isDone ? "" : "text-quiet"}`} {...(isHere && { "aria-current": "step" as const })}>
            {number > 0 && <span aria-hidden="true" className={`absolute top-2.25 right-1/2 -left-1/2 h-0.5 ${number <= road.at ? "bg-good" : "bg-line"}`} />}
            <span aria-hidden="true" className={`relative mx-auto mb-1.5 grid size-5 place-items-center rounded-full ring-4 ring-paper ${ink}`}>
              {isDone && <Icon name="check" className="size-3.5" />}
              {isHere && <Icon name={road.isBroken ? "close" : "clock"} className="size-3.5" />}
            </span>
            <span className="block text-center">{say.requests.steps[step]}</span>
            {isDone && <span className="sr-only">{say.requests.stepDone}</span>}
          </li>
        );
      })}
    </ol>
  );
}
