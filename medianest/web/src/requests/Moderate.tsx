import { Suspense, useState } from "react";
import type { RequestView } from "../api/schema";
import { later } from "../app/later";
import { useMe } from "../session/useMe";
import { say } from "../strings/requests";
import { Button } from "../ui/Button";
import { inWords } from "../ui/Trouble";
import { useApprove, useDecline } from "./queries";
import { awaitsDecision, canEnd } from "./states";

const DeclineSheet = later(() => import("./DeclineSheet"));

/** Approve or decline: for moderators, while it waits for one; and decline what was approved, or failed. */
export function Moderate({ request }: { readonly request: RequestView }) {
  const mayModerate = useMe().data?.permissions.includes("requests.moderate") ?? false;
  const approve = useApprove();
  const decline = useDecline();
  const [declining, setDeclining] = useState(false);
  if (!mayModerate) return null;
  const refused = approve.error ?? decline.error;
  const requests = [request.request];
  return (
    <>
      {awaitsDecision(request) && (
        <Button weight="strong" onClick={() => approve.mutate(requests)}>
          {say.requests.approve}
        </Button>
      )}
      {canEnd(request) && <Button onClick={() => setDeclining(true)}>{say.requests.decline}</Button>}
      {refused && <p role="alert" className="w-full text-sm text-bad">{inWords(refused).title} {inWords(refused).remedy}</p>}
      {declining && (
        <Suspense>
          <DeclineSheet requests={[request]} decline={(body) => decline.mutate({ requests, body })} onClose={() => setDeclining(false)} />
        </Suspense>
      )}
    </>
  );
}
