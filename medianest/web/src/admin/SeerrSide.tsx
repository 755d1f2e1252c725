import { Link } from "wouter";
import type { Difference, Following } from "../api/schema";
import { requestPath } from "../app/routes";
import { say } from "../strings/admin";
import { Badge } from "../ui/Badge";
import { Button } from "../ui/Button";
import { Empty, Ghost } from "../ui/Empty";
import { Section } from "../ui/Page";
import { Rows } from "../ui/Rows";
import { Loaded, Trouble } from "../ui/Trouble";
import { atClock, fromNow } from "../ui/units";
import { useDrift, useFollowing, useFollowAgain, useOrderDrift } from "./queries";

/** What is in Seerr beside what was asked for here: how much of it was taken over, and where the two differ. */
export default function SeerrSide() {
  return (
    <>
      <Section title={say.admin.seerr.following}>
        <Loaded asked={useFollowing()} ghost={<Ghost className="h-24" />}>
          {(following) => <HowFar following={following} />}
        </Loaded>
      </Section>
      <Drift />
    </>
  );
}

function HowFar({ following }: { readonly following: Following }) {
  const again = useFollowAgain();
  const { state, reached, total, taken_over: taken, set_aside: aside } = following;
  const waits = [
    aside.not_linked && say.admin.seerr.notLinked(aside.not_linked),
    aside.no_title && say.admin.seerr.noTitle(aside.no_title),
    aside.perhaps_ours && say.admin.seerr.perhapsOurs(aside.perhaps_ours),
  ].filter(Boolean);
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-3 rounded-xl bg-raised p-4">
      <div className="min-w-48 grow basis-64">
        <Badge tone={state === "following" ? "good" : "busy"}>{say.admin.seerr.states[state]}</Badge>
        <p className="mt-1">{say.admin.seerr.taken(taken, total)}</p>
        <p className="text-sm text-quiet">{[reached && say.admin.seerr.reached(atClock(new Date(reached))), ...waits].filter(Boolean).join(" ")}</p>
        {again.error && <Trouble error={again.error} />}
      </div>
      <Button disabled={again.isPending} onClick={() => again.mutate()}>
        {say.admin.seerr.again}
      </Button>
    </div>
  );
}

function Drift() {
  const asked = useDrift();
  const order = useOrderDrift();
  const report = asked.data;
  const isBusy = order.isPending || report?.under_way === true;
  return (
    <Section title={say.admin.seerr.drift}>
      <div className="mb-4 flex flex-wrap items-center gap-2">
        <Button disabled={isBusy} onClick={() => order.mutate("look")}>
          {say.admin.seerr.look}
        </Button>
        <Button disabled={isBusy || !report?.items.length} onClick={() => order.mutate("heal")}>
          {say.admin.seerr.heal}
        </Button>
        <p role="status" className="text-sm text-quiet">
          {report?.under_way ? say.admin.seerr.comparing : report?.compared_at && say.admin.seerr.compared(fromNow(new Date(report.compared_at)))}
        </p>
      </div>
      {order.error && <Trouble error={order.error} />}
      <Loaded asked={asked} ghost={<Ghost className="h-24" />}>
        {({ items, compared_at: comparedAt }) => (
          <Rows none={<Empty title={comparedAt ? say.admin.seerr.noDrift : say.admin.seerr.notCompared} />}>
            {items.map((difference) => (
              <DifferenceRow key={difference.request} difference={difference} />
            ))}
          </Rows>
        )}
      </Loaded>
    </Section>
  );
}

function DifferenceRow({ difference }: { readonly difference: Difference }) {
  const { request, title, here, there, seasons_here: ours, seasons_there: theirs, wins, why, since } = difference;
  const differ = ours.join() !== theirs.join();
  return (
    <li className="rounded-xl bg-raised p-4">
      <Link href={requestPath(request)} className="font-medium underline-offset-4 hover:underline">
        {title}
      </Link>
      <p className="text-sm">{say.admin.seerr.differs(standsAs(here, differ && ours), standsAs(there, differ && theirs))}</p>
      <p className="text-sm text-quiet">
        {say.admin.seerr.wins[wins]} {why} {say.admin.seerr.since(fromNow(new Date(since)))}
      </p>
    </li>
  );
}

/** How a request stands on one side; with its seasons where the two sides differ about them. */
function standsAs(state: Difference["here"], seasons: readonly number[] | false): string {
  return [say.requestState[state], seasons && seasons.length > 0 && say.requests.seasons(seasons)].filter(Boolean).join(" · ");
}
