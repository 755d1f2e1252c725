import { lazy, Suspense, useState } from "react";
import { useApprove, useMe } from "../api/queries";
import type { RequestView } from "../api/schema";
import { say } from "../strings";
import { Button } from "../ui/Button";
import { inWords } from "../ui/Trouble";
import { awaitsDecision } from "./states";

const DeclineSheet = lazy(() => import("./DeclineSheet"));

/** Approve or decline: for moderators, while it waits for one. */
export function Moderate({ request }: { readonly request: RequestView }) {
  const mayModerate = useMe().data?.permissions.includes("requests.moderate") ?? false;
  const approve = useApprove([request.request]);
  const [declining, setDeclining] = useState(false);
  if (!mayModerate || !awaitsDecision(request)) return null;
  return (
    <>
      <Button weight="strong" disabled={approve.isPending} onClick={() => approve.mutate()}>
        {say.requests.approve}
      </Button>
      <Button onClick={() => setDeclining(true)}>{say.requests.decline}</Button>
      {approve.error && <p role="alert" className="w-full text-sm text-bad">{inWords(approve.error).remedy}</p>}
      {declining && (
        <Suspense>
          <DeclineSheet requests={[request]} onClose={() => setDeclining(false)} />
        </Suspense>
      )}
    </>
  );
}
