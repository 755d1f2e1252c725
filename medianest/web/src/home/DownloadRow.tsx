import type { DownloadView } from "../api/schema";
import { useProgress } from "../live/progress";
import { say } from "../strings";
import { Badge } from "../ui/Badge";
import { Bar } from "../ui/Bar";
import { Icon } from "../ui/Icon";
import { duration } from "../ui/time";

/** A video on its way to the server, with how far it is. */
export function DownloadRow({ download }: { readonly download: DownloadView }) {
  const progress = useProgress(download.download);
  const title = download.title ?? say.video;
  return (
    <li className="flex items-center gap-4 rounded-xl bg-raised p-3">
      <span className="grid aspect-2/3 w-14 shrink-0 place-items-center rounded-lg bg-sunken text-quiet">
        <Icon name="video" />
      </span>
      <div className="min-w-0 grow">
        <p className="truncate font-medium">{title}</p>
        <div className="mt-1 flex items-center justify-between gap-3 text-xs text-quiet tabular-nums">
          <Badge tone={download.state === "deferred" ? "warn" : "busy"}>{say.downloadState[download.state]}</Badge>
          {progress?.etaSeconds != null && <span>{say.requests.eta(duration(progress.etaSeconds))}</span>}
        </div>
        {download.state === "downloading" && (
          <div className="mt-2">
            <Bar percent={progress?.percent ?? null} label={title} />
          </div>
        )}
      </div>
    </li>
  );
}
