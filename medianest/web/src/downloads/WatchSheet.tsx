import { useState } from "react";
import type { DownloadView } from "../api/schema";
import { say } from "../strings/downloads";
import { buttonLook } from "../ui/Button";
import { Ghost } from "../ui/Empty";
import { Sheet } from "../ui/Sheet";
import { Loaded } from "../ui/Trouble";
import { useWatch } from "./queries";

/** The video in a player of the browser, or to be saved. */
export default function WatchSheet({ download, onClose }: { readonly download: DownloadView; readonly onClose: () => void }) {
  const watch = useWatch(download.download);
  return (
    <Sheet wide title={download.title ?? say.downloads.untitled} onClose={onClose}>
      <Loaded asked={watch} ghost={<Ghost className="aspect-video" />}>
        {({ address }) => <Player address={address} />}
      </Loaded>
    </Sheet>
  );
}

function Player({ address }: { readonly address: string }) {
  const [cannot, setCannot] = useState(false);
  return (
    <>
      {cannot ? (
        <p role="alert" className="text-sm text-warn">{say.downloads.cannotPlay}</p>
      ) : (
        // What people send has no captions of its own that we could offer.
        <video controls autoPlay playsInline src={address} className="max-h-[70vh] w-full rounded-lg bg-black" onError={() => setCannot(true)} />
      )}
      <a href={address} download className={`${buttonLook("plain")} mt-4`}>
        {say.downloads.save}
      </a>
    </>
  );
}
