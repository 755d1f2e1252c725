import { useLocation } from "wouter";
import { useCancel } from "../api/queries";
import type { RequestView } from "../api/schema";
import { routes } from "../app/routes";
import { say } from "../strings";
import { Button } from "../ui/Button";
import { Sheet } from "../ui/Sheet";
import { Trouble } from "../ui/Trouble";

/** Asks once more before a request is taken back. */
export default function CancelSheet({ request, onClose }: { readonly request: RequestView; readonly onClose: () => void }) {
  const [, go] = useLocation();
  const cancel = useCancel(request.request);
  const yes = () =>
    cancel.mutate(undefined, {
      onSuccess: () => {
        onClose();
        go(routes.requests);
      },
    });
  return (
    <Sheet title={say.requests.cancelTitle} lead={say.requests.cancelLead(request.title)} onClose={onClose}>
      {cancel.error && <Trouble error={cancel.error} />}
      <div className="mt-2 grid grid-cols-2 gap-2">
        <Button onClick={onClose}>{say.requests.keep}</Button>
        <Button weight="danger" disabled={cancel.isPending} onClick={yes}>
          {request.mine ? say.requests.cancel : say.requests.unfollow}
        </Button>
      </div>
    </Sheet>
  );
}
