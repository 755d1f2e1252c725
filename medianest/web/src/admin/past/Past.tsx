import type { ComponentType } from "react";
import { useSearchParams } from "wouter";
import { say } from "../../strings/admin";
import { Button } from "../../ui/Button";
import { CHIP } from "../../ui/Chip";
import { Empty } from "../../ui/Empty";
import { FIELD } from "../../ui/Field";
import { HomeThen } from "./HomeThen";
import { PeopleThen, RequestsThen, VideosThen } from "./ListsThen";
import { byTheClock, isAhead, momentOf, positionOf } from "./place";
import { useNewest } from "./queries";

interface ViewProps {
  readonly asOf: string;
  readonly whose: string; // whose home; empty: one's own
  readonly choose: (whose: string) => void;
}

const VIEWS = { requests: RequestsThen, videos: VideosThen, people: PeopleThen, home: HomeThen } satisfies Record<string, ComponentType<ViewProps>>;
type View = keyof typeof VIEWS;

/** The house as it was at a moment, or after an event. The address says which, so that it can be sent to somebody. */
export default function Past() {
  const [params, setParams] = useSearchParams();
  const at = params.get("at") ?? "";
  const view = viewOf(params.get("show"));
  const whose = params.get("whose") ?? "";
  const go = (change: Readonly<Record<string, string>>) =>
    setParams(Object.fromEntries(Object.entries({ at, show: view, whose, ...change }).filter(([, value]) => value)), { replace: true });
  const moment = momentOf(at);
  const Shown = VIEWS[view];
  return (
    <>
      <When at={at} go={(next) => go({ at: next })} />
      <div role="group" aria-label={say.admin.past.show} className="chips mb-5">
        {(Object.keys(VIEWS) as View[]).map((name) => (
          <button key={name} type="button" className={CHIP} aria-pressed={name === view} onClick={() => go({ show: name })}>
            {say.admin.past.views[name]}
          </button>
        ))}
      </div>
      {moment === undefined ? (
        <Empty title={say.admin.past.noMoment} hint={say.admin.past.noMomentHint} />
      ) : (
        <Shown asOf={moment} whose={whose} choose={(next) => go({ whose: next })} />
      )}
    </>
  );
}

/** Anybody may write into an address: what is none of the views is the first. */
function viewOf(named: string | null): View {
  return named !== null && Object.hasOwn(VIEWS, named) ? (named as View) : "requests";
}

function When({ at, go }: { readonly at: string; readonly go: (at: string) => void }) {
  const position = positionOf(at);
  const newest = useNewest();
  const ahead = isAhead(at, newest);
  return (
    <div className="mb-5 flex flex-wrap items-end gap-3 text-sm text-quiet">
      <label className="grid gap-1">
        {say.admin.past.moment}
        <input type="datetime-local" className={FIELD} value={byTheClock(at) === undefined ? "" : at} onChange={(event) => go(event.target.value)} />
      </label>
      {position !== undefined && (
        <div className="flex flex-wrap items-center gap-2">
          {!ahead && <p className="w-full text-ink sm:w-auto">{say.admin.past.after(position)}</p>}
          <Button disabled={position === 0} onClick={() => go(String(ahead ? newest : position - 1))}>
            {ahead ? say.admin.past.newest : say.admin.past.earlier}
          </Button>
          <Button disabled={newest === undefined || position >= newest} onClick={() => go(String(position + 1))}>
            {say.admin.past.later}
          </Button>
        </div>
      )}
      <p role="status" className="w-full text-warn empty:hidden">
        {ahead && say.admin.past.ahead}
      </p>
    </div>
  );
}
