import type { RequestView } from "../api/schema";
import { say } from "../strings/requests";
import { Button } from "../ui/Button";
import { Sheet } from "../ui/Sheet";

/** Asks once more before a request is taken back, or followed no longer. */
export default function CancelSheet({ request, cancel, onClose }: { readonly request: RequestView; readonly cancel: () => void; readonly onClose: () => void }) {
  const { title, mine } = request;
  const yes = () => {
    onClose();
    cancel();
  };
  return (
    <Sheet title={mine ? say.requests.cancelTitle : say.requests.unfollowTitle} lead={(mine ? say.requests.cancelLead : say.requests.unfollowLead)(title)} onClose={onClose}>
      <div className="mt-2 grid grid-cols-2 gap-2">
        <Button onClick={onClose}>{mine ? say.requests.keep : say.requests.goOnFollowing}</Button>
        <Button weight="danger" onClick={yes}>
          {mine ? say.requests.cancel : say.requests.unfollow}
        </Button>
      </div>
    </Sheet>
  );
}
