import type { RequestView } from "../api/schema";
import { say } from "../strings/requests";
import { Button } from "../ui/Button";
import { Sheet } from "../ui/Sheet";

/** Asks once more before a request is taken back. */
export default function CancelSheet({ request, cancel, onClose }: { readonly request: RequestView; readonly cancel: () => void; readonly onClose: () => void }) {
  const yes = () => {
    onClose();
    cancel();
  };
  return (
    <Sheet title={say.requests.cancelTitle} lead={say.requests.cancelLead(request.title)} onClose={onClose}>
      <div className="mt-2 grid grid-cols-2 gap-2">
        <Button onClick={onClose}>{say.requests.keep}</Button>
        <Button weight="danger" onClick={yes}>
          {request.mine ? say.requests.cancel : say.requests.unfollow}
        </Button>
      </div>
    </Sheet>
  );
}
