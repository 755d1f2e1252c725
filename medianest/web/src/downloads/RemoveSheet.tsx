import type { DownloadView } from "../api/schema";
import { say } from "../strings/downloads";
import { Button } from "../ui/Button";
import { Sheet } from "../ui/Sheet";
import { Trouble } from "../ui/Trouble";
import { useRemove } from "./queries";

/** Asks once more before a video is taken off the server. */
export default function RemoveSheet({ download, onClose }: { readonly download: DownloadView; readonly onClose: () => void }) {
  const remove = useRemove(download.download);
  const { mine, by, title } = download;
  const lead = mine || by === null ? say.downloads.removeLead(title ?? say.downloads.untitled) : say.downloads.removeOthersLead(by);
  return (
    <Sheet title={say.downloads.removeTitle} lead={lead} onClose={onClose}>
      {remove.error && <Trouble error={remove.error} />}
      <div className="mt-2 grid grid-cols-2 gap-2">
        <Button onClick={onClose}>{say.downloads.keep}</Button>
        <Button weight="danger" disabled={remove.isPending} onClick={() => remove.mutate(undefined, { onSuccess: onClose })}>
          {say.downloads.remove}
        </Button>
      </div>
    </Sheet>
  );
}
