import type { ReactNode } from "react";
import type { DownloadView } from "../api/schema";
import { useProgress } from "../live/progress";
import { say } from "../strings/house";
import { Badge } from "../ui/Badge";
import { Bar } from "../ui/Bar";
import { hueOfWord } from "../ui/hue";
import { Icon } from "../ui/Icon";
import { atClock, bytes, duration } from "../ui/units";
import { useFromNow } from "../ui/useFromNow";
import { TONES } from "./states";

/** A video that was sent to the server, and how far it is. */
export function DownloadRow({ download, children }: { readonly download: DownloadView; readonly children?: ReactNode }) {
  const fromNow = useFromNow();
  const title = download.title ?? say.downloads.untitled;
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 rounded-xl bg-raised p-3">
      <Still name={title} />
      <div className="min-w-0 grow basis-36">
        <p dir="auto" className="truncate font-medium">{title}</p>
        <p className="truncate text-xs text-quiet">{facts(download)}</p>
        <div className="mt-1.5 flex items-center justify-between gap-3">
          <Badge tone={TONES[download.state]}>{say.downloadState[download.state]}</Badge>
          <time dateTime={download.changed_at} className="truncate text-xs text-quiet">
            {fromNow(new Date(download.changed_at))}
          </time>
        </div>
        {download.why && (download.state === "failed" || download.state === "deferred") && (
          <p className="mt-1 text-sm text-quiet">
            {download.why}
            {download.waiting?.next_at && ` ${say.requests.nextTry(atClock(new Date(download.waiting.next_at)))}.`}
          </p>
        )}
        {download.pinned && <p className="mt-1 text-xs text-quiet">{say.downloads.pinned}</p>}
        {download.kept_until && <p className="mt-1 text-xs text-quiet">{say.downloads.keptUntil(atClock(new Date(download.kept_until)))}</p>}
        {download.state === "downloading" && <HowFast download={download} title={title} />}
      </div>
      {children}
    </li>
  );
}

/** In the place of a picture of it. */
function Still({ name }: { readonly name: string }) {
  const hue = hueOfWord(name);
  const ground = { backgroundImage: `linear-gradient(135deg, oklch(0.45 0.1 ${hue}), oklch(0.24 0.06 ${hue + 50}))` };
  return (
    <span aria-hidden="true" className="grid aspect-video w-24 shrink-0 place-items-center rounded-lg text-white/85 ring-1 ring-white/10 ring-inset" style={ground}>
      <Icon name="play" />
    </span>
  );
}

function HowFast({ download, title }: { readonly download: DownloadView; readonly title: string }) {
  const progress = useProgress(download.download);
  const words = [
    progress?.percent != null && say.requests.percent(progress.percent),
    progress?.bytesPerSecond != null && say.downloads.speed(bytes(progress.bytesPerSecond)),
    progress?.etaSeconds != null && say.requests.eta(duration(progress.etaSeconds)),
  ].filter(Boolean);
  return (
    <div className="mt-2">
      <Bar percent={progress?.percent ?? null} label={title} />
      {words.length > 0 && <p className="mt-1 text-xs text-quiet tabular-nums">{words.join(" · ")}</p>}
    </div>
  );
}

function facts({ preset, playlist, size_bytes: size, duration_seconds: length, by, mine }: DownloadView): string {
  return [
    playlist && say.downloads.partOf(playlist.index, playlist.title),
    length !== null && duration(length),
    size !== null ? bytes(size) : preset,
    !mine && by && say.downloads.by(by),
  ]
    .filter(Boolean)
    .join(" · ");
}
