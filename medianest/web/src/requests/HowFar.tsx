import type { RequestView } from "../api/schema";
import { useProgress } from "../live/progress";
import { say } from "../strings/house";
import { Bar } from "../ui/Bar";
import { duration } from "../ui/units";

/** How much of a request is fetched, once Radarr or Sonarr say so. */
export function HowFar({ request }: { readonly request: Pick<RequestView, "request" | "title"> }) {
  const progress = useProgress(request.request);
  if (progress === undefined) return null;
  const words = [
    progress.percent === null ? "" : say.requests.percent(progress.percent),
    progress.etaSeconds === null ? "" : say.requests.eta(duration(progress.etaSeconds)),
  ].filter(Boolean);
  return (
    <div className="mt-2">
      <Bar percent={progress.percent} label={request.title} />
      <p className="mt-1 text-xs text-quiet tabular-nums">{words.join(" · ")}</p>
    </div>
  );
}
