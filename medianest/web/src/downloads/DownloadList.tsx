import { Suspense, useState } from "react";
import type { DownloadView } from "../api/schema";
import { later } from "../app/later";
import { say } from "../strings/downloads";
import { Button } from "../ui/Button";
import { inWords } from "../ui/Trouble";
import { DownloadRow } from "./DownloadRow";
import { useAct, usePin } from "./queries";
import { actionFor, isThere } from "./states";

const RemoveSheet = later(() => import("./RemoveSheet"));
const WatchSheet = later(() => import("./WatchSheet"));

/** Videos, each with what may be done about it. */
export function DownloadList({ downloads }: { readonly downloads: readonly DownloadView[] }) {
  return (
    <ul className="grid gap-2.5 lg:grid-cols-2">
      {downloads.map((download) => (
        <DownloadRow key={download.download} download={download}>
          <div className="flex grow flex-wrap justify-end gap-2 empty:hidden sm:grow-0">
            <Watch download={download} />
            <Pin download={download} />
            <Remove download={download} />
            <Act download={download} />
          </div>
        </DownloadRow>
      ))}
    </ul>
  );
}

function Watch({ download }: { readonly download: DownloadView }) {
  const [isOpen, setOpen] = useState(false);
  if (!download.mine || download.path === null) return null;
  return (
    <>
      <Button aria-label={`${say.downloads.watch}: ${download.title ?? say.downloads.untitled}`} onClick={() => setOpen(true)}>
        {say.downloads.watch}
      </Button>
      <Suspense>{isOpen && <WatchSheet download={download} onClose={() => setOpen(false)} />}</Suspense>
    </>
  );
}

/** Where videos go when their time is up, one may say that this one stays. */
function Pin({ download }: { readonly download: DownloadView }) {
  const pin = usePin(download.download);
  if (!download.mine || (download.kept_until === null && !download.pinned)) return null;
  const act = download.pinned ? say.downloads.unpin : say.downloads.pin;
  return (
    <>
      <Button weight="quiet" disabled={pin.isPending} aria-label={`${act}: ${download.title ?? say.downloads.untitled}`} onClick={() => pin.mutate(!download.pinned)}>
        {act}
      </Button>
      {pin.error && <p role="alert" className="max-w-40 text-xs text-bad">{inWords(pin.error).remedy}</p>}
    </>
  );
}

function Remove({ download }: { readonly download: DownloadView }) {
  const [isOpen, setOpen] = useState(false);
  if (!isThere(download.state)) return null;
  return (
    <>
      <Button weight="quiet" aria-label={`${say.downloads.remove}: ${download.title ?? say.downloads.untitled}`} onClick={() => setOpen(true)}>
        {say.downloads.remove}
      </Button>
      <Suspense>{isOpen && <RemoveSheet download={download} onClose={() => setOpen(false)} />}</Suspense>
    </>
  );
}

function Act({ download }: { readonly download: DownloadView }) {
  const act = useAct(download.download);
  const which = actionFor(download.state);
  if (!which && !act.error) return null;
  return (
    <div className="shrink-0 self-center">
      {which && (
        <Button disabled={act.isPending} aria-label={`${say.downloads[which]}: ${download.title ?? say.downloads.untitled}`} onClick={() => act.mutate(which)}>
          {say.downloads[which]}
        </Button>
      )}
      {act.error && <p role="alert" className="mt-1 max-w-40 text-xs text-bad">{inWords(act.error).remedy}</p>}
    </div>
  );
}
