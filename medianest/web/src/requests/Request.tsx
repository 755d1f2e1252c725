import { Link, useLocation, useParams } from "wouter";
import { Suspense, useState } from "react";
import type { RequestView } from "../api/schema";
import { later } from "../app/later";
import { routes, titlePath } from "../app/routes";
import { say } from "../strings/requests";
import { Back } from "../ui/Back";
import { Badge } from "../ui/Badge";
import { Button, buttonLook } from "../ui/Button";
import { Ghost } from "../ui/Empty";
import { Section } from "../ui/Page";
import { type About, TitlePage } from "../ui/TitlePage";
import { Loaded, Trouble } from "../ui/Trouble";
import { HowFar } from "./HowFar";
import { Moderate } from "./Moderate";
import { Road } from "./Road";
import { canChangeSeasons, canEnd, isMoving, TONES } from "./states";
import { TimelineOf } from "./TimelineOf";
import { whereIsIt } from "./whereIsIt";
import { useCancel, useRequest, useRetry, useTimeline } from "./queries";

const CancelSheet = later(() => import("./CancelSheet"));
const SeasonsSheet = later(() => import("./SeasonsSheet"));

/** Where one request is, and why. */
export default function Request() {
  const { request = "" } = useParams();
  const found = useRequest(request);
  const timeline = useTimeline(request);
  return (
    <TitlePage name={say.requests.where} back={<Back to={routes.requests} />} asked={found} about={aboutOf} acts={(one) => <Actions request={one} />}>
      {found.data && (
        <Section title={say.requests.timeline}>
          <Loaded asked={timeline} ghost={<Ghost className="h-40" />}>
            {({ items }) => <TimelineOf items={items} request={found.data} />}
          </Loaded>
        </Section>
      )}
    </TitlePage>
  );
}

function aboutOf(request: RequestView): About {
  const { kind, tmdb, is4k, title, year, seasons, external, mine, by } = request;
  const whose = [!mine && by && say.requests.by(by), external && say.requests.external];
  const facts = [say.kind[kind], year, is4k && say.requests.in4k, seasons.length > 0 && say.requests.seasons(seasons), ...whose];
  return { title, kind: say.kind[kind], seed: tmdb, poster: { kind, tmdb }, backdrop: { kind, tmdb }, facts, words: <Standing request={request} /> };
}

function Standing({ request }: { readonly request: RequestView }) {
  const { state, note, mine, by } = request;
  return (
    <>
      <Badge tone={TONES[state]}>{say.requestState[state]}</Badge>
      <p className="mt-0.5 font-medium">{whereIsIt(request)}</p>
      {note && <p className="mt-2 text-sm">{say.requests.note(note)}</p>}
      {!mine && !by && <p className="mt-2 text-sm text-quiet">{say.requests.joined}</p>}
    </>
  );
}

function Actions({ request }: { readonly request: RequestView }) {
  const [open, setOpen] = useState<"cancel" | "seasons">();
  const close = () => setOpen(undefined);
  const retry = useRetry(request.request);
  const cancel = useCancel(request);
  const [, go] = useLocation();
  const refused = cancel.error ?? retry.error;
  return (
    <>
      <Road request={request} />
      {isMoving(request) && <HowFar request={request} />}
      <div className="mt-6 flex flex-wrap gap-2">
        <Moderate request={request} />
        {request.state === "failed" && (
          <Button weight="strong" disabled={retry.isPending} onClick={() => retry.mutate()}>
            {say.requests.retry}
          </Button>
        )}
        <Link href={titlePath(request.kind, request.tmdb)} className={buttonLook("plain")}>
          {say.requests.openTitle}
        </Link>
        {canChangeSeasons(request) && <Button onClick={() => setOpen("seasons")}>{say.requests.changeSeasons}</Button>}
        {canEnd(request) && (request.mine || !request.by) && (
          <Button weight="danger" onClick={() => setOpen("cancel")}>
            {request.mine ? say.requests.cancel : say.requests.unfollow}
          </Button>
        )}
        {refused && <Trouble error={refused} />}
        <Suspense>
          {open === "cancel" && <CancelSheet request={request} cancel={() => cancel.mutate(undefined, { onSuccess: () => go(routes.requests) })} onClose={close} />}
          {open === "seasons" && <SeasonsSheet request={request} onClose={close} />}
        </Suspense>
      </div>
    </>
  );
}
