import { Suspense, useState } from "react";
import type { Decline, RequestView } from "../api/schema";
import { later } from "../app/later";
import { say } from "../strings/requests";
import { Button } from "../ui/Button";
import { inWords } from "../ui/Trouble";
import { RequestRow } from "./RequestRow";
import { useApprove, useDecline } from "./queries";
import { awaitsDecision } from "./states";

const DeclineSheet = later(() => import("./DeclineSheet"));

/** Everybody's requests, of which moderators decide several at once. */
export default function Several({ requests }: { readonly requests: readonly RequestView[] }) {
  const [picked, pick] = useState<ReadonlySet<string>>(new Set());
  const waiting = requests.filter(awaitsDecision);
  const approve = useApprove();
  const decline = useDecline();
  const refused = approve.error ?? decline.error;
  const chosen = waiting.filter(({ request }) => picked.has(request)); // what is decided meanwhile drops out by itself
  const turn = (request: string, isOn: boolean) =>
    pick(new Set(isOn ? [...picked, request] : [...picked].filter((one) => one !== request)));
  return (
    <>
      {waiting.length > 0 && (
        <Decide
          chosen={chosen}
          all={() => pick(new Set(waiting.map(({ request }) => request)))}
          none={() => pick(new Set())}
          approve={() => approve.mutate(namesOf(chosen))}
          decline={(body) => decline.mutate({ requests: namesOf(chosen), body })}
        />
      )}
      {refused && <p role="alert" className="mb-4 text-sm text-bad">{inWords(refused).title} {inWords(refused).remedy}</p>}
      <ul className="grid gap-2.5 lg:grid-cols-2">
        {requests.map((request) => (
          <RequestRow
            key={request.request}
            request={request}
            choice={
              awaitsDecision(request) && (
                <label className="relative z-10 grid size-10 shrink-0 place-items-center">
                  <input
                    type="checkbox"
                    className="size-5 accent-accent"
                    aria-label={say.requests.choose(request.title)}
                    checked={picked.has(request.request)}
                    onChange={(event) => turn(request.request, event.target.checked)}
                  />
                </label>
              )
            }
          />
        ))}
      </ul>
    </>
  );
}

function namesOf(requests: readonly RequestView[]): string[] {
  return requests.map(({ request }) => request);
}

interface DecideProps {
  readonly chosen: readonly RequestView[];
  readonly all: () => void;
  readonly none: () => void;
  readonly approve: () => void;
  readonly decline: (body: Decline) => void;
}

function Decide({ chosen, all, none, approve, decline }: DecideProps) {
  const [declining, setDeclining] = useState(false);
  const isIdle = chosen.length === 0;
  return (
    <div className="sticky top-0 z-20 mb-2 flex flex-wrap items-center gap-2 bg-paper/95 py-2 backdrop-blur">
      <Button weight="quiet" onClick={chosen.length === 0 ? all : none}>
        {chosen.length === 0 ? say.requests.chooseAll : say.requests.chooseNone}
      </Button>
      <p role="status" className="grow text-sm text-quiet">
        {say.requests.chosen(chosen.length)}
      </p>
      <div className="grid w-full grid-cols-2 gap-2 sm:flex sm:w-auto">
        <Button weight="strong" disabled={isIdle} onClick={approve}>
          {say.requests.approve}
        </Button>
        <Button disabled={isIdle} onClick={() => setDeclining(true)}>
          {say.requests.decline}
        </Button>
      </div>
      {declining && (
        <Suspense>
          <DeclineSheet requests={chosen} decline={decline} onClose={() => setDeclining(false)} />
        </Suspense>
      )}
    </div>
  );
}
