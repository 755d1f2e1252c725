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
          <li key={step} className={`relative pr-2 text-xs ${isHere ? "font-semibold" : isDone ? "" : "text-quiet"}`} {...(isHere && { "aria-current": "step" as const })}>
            {number < STEPS.length - 1 && <span aria-hidden="true" className={`absolute top-2.25 right-0 left-0 h-0.5 ${isDone ? "bg-good" : "bg-line"}`} />}
            <span aria-hidden="true" className={`relative mb-1.5 grid size-5 place-items-center rounded-full ${ink}`}>
              {isDone && <Icon name="check" className="size-3.5" />}
              {isHere && <Icon name={road.isBroken ? "close" : "clock"} className="size-3.5" />}
            </span>
            <span className="block">{say.requests.steps[step]}</span>
            {isDone && <span className="sr-only">{say.requests.stepDone}</span>}
          </li>
        );
      })}
    </ol>
  );
}
