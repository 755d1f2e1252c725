import { useSearchParams } from "wouter";
import { say } from "../../strings";
import { Button } from "../../ui/Button";
import { CHIP } from "../../ui/Chip";
import { Empty } from "../../ui/Empty";
import { FIELD } from "../../ui/Field";
import { HomeThen } from "./HomeThen";
import { PeopleThen, RequestsThen, VideosThen } from "./ListsThen";
import { momentOf } from "./place";

const VIEWS = { requests: RequestsThen, videos: VideosThen, people: PeopleThen, home: HomeThen } as const;
type View = keyof typeof VIEWS;

/** The house as it was at a moment, or after an event. The address says which, so that it can be sent to somebody. */
export default function Past() {
  const [params, setParams] = useSearchParams();
  const at = params.get("at") ?? "";
  const view = (params.get("show") ?? "requests") as View;
  const go = (change: Readonly<Record<string, string>>) => setParams({ at, show: view, ...change }, { replace: true });
  const moment = momentOf(at);
  const Shown = VIEWS[view] ?? RequestsThen;
  return (
    <>
      <When at={at} go={(next) => go({ at: next })} />
      <div role="group" aria-label={say.admin.past.show} className="chips mb-5">
        {(Object.keys(VIEWS) as View[]).map((name) => (
          <button key={name} type="button" className={CHIP} aria-pressed={VIEWS[name] === Shown} onClick={() => go({ show: name })}>
            {say.admin.past.views[name]}
          </button>
        ))}
      </div>
      {moment === undefined ? <Empty title={say.admin.past.noMoment} hint={say.admin.past.noMomentHint} /> : <Shown asOf={moment} />}
    </>
  );
}

function When({ at, go }: { readonly at: string; readonly go: (at: string) => void }) {
  const position = /^\d+$/.test(at) ? Number(at) : undefined;
  return (
    <div className="mb-5 flex flex-wrap items-end gap-3 text-sm text-quiet">
      <label className="grid gap-1">
        {say.admin.past.moment}
        <input type="datetime-local" className={FIELD} value={position === undefined ? at : ""} onChange={(event) => go(event.target.value)} />
      </label>
      {position !== undefined && (
        <div className="flex flex-wrap items-center gap-2">
          <p className="text-ink">{say.admin.past.after(position)}</p>
          <Button disabled={position <= 1} onClick={() => go(String(position - 1))}>
            {say.admin.past.earlier}
          </Button>
          <Button onClick={() => go(String(position + 1))}>{say.admin.past.later}</Button>
        </div>
      )}
    </div>
  );
}
