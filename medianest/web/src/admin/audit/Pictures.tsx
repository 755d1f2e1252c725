import { useState } from "react";
import type { InState, Stretch } from "../../api/schema";
import { TONES } from "../../requests/states";
import { say } from "../../strings/admin";
import { Badge } from "../../ui/Badge";
import { CHIP } from "../../ui/Chip";
import { Ghost } from "../../ui/Empty";
import { Loaded } from "../../ui/Trouble";
import { atClock, onDay } from "../../ui/units";
import type { Search } from "../queries";
import { usePace, useStates } from "./queries";
import { SPANS, type Span } from "./span";

type Look = (change: Partial<Search>) => void;

/** How much happened, step by step, and as what the requests stand. */
export function Pictures({ look }: { readonly look: Look }) {
  const [span, choose] = useState<Span>("month");
  return (
    <div className="mb-6 grid gap-2.5 lg:grid-cols-[3fr_2fr]">
      <section className="min-w-0 rounded-xl bg-raised p-4">
        <div className="flex flex-wrap items-center justify-between gap-2">
          <h2 className="text-sm font-semibold text-quiet">{say.admin.audit.pace}</h2>
          <div role="group" aria-label={say.admin.audit.span} className="chips">
            {(Object.keys(SPANS) as Span[]).map((name) => (
              <button key={name} type="button" className={CHIP} aria-pressed={name === span} onClick={() => choose(name)}>
                {say.admin.audit.spans[name]}
              </button>
            ))}
          </div>
        </div>
        <Loaded asked={usePace(span)} ghost={<Ghost className="mt-3 h-32" />}>
          {({ items, unit }) => <Steps steps={items} named={unit === "day" ? onDay : atClock} look={look} />}
        </Loaded>
      </section>
      <Loaded asked={useStates()} ghost={<Ghost className="h-44" />}>
        {({ items }) => <States states={items} />}
      </Loaded>
    </div>
  );
}

interface StepsProps {
  readonly steps: readonly Stretch[];
  readonly named: (at: Date) => string;
  readonly look: Look;
}

function Steps({ steps, named, look }: StepsProps) {
  const most = Math.max(1, ...steps.map(({ events }) => events));
  const show = (number: number) => look({ since: local(steps[number]?.at), until: local(steps[number + 1]?.at) });
  return (
    <>
      <div className="mt-3 flex h-20 items-end gap-0.5" aria-hidden="true">
        {steps.map(({ at, events }, number) => (
          <div key={at} className="flex h-full grow cursor-pointer items-end rounded-xs hover:bg-sunken" title={say.admin.audit.inStep(named(new Date(at)), events)} onClick={() => show(number)}>
            <div className={`w-full rounded-xs ${events === 0 ? "bg-line" : "bg-accent"}`} style={{ height: `max(2px, ${(100 * events) / most}%)` }} />
          </div>
        ))}
      </div>
      <div className="mt-1 flex justify-between text-xs text-quiet" aria-hidden="true">
        <span>{steps[0] && named(new Date(steps[0].at))}</span>
        <span>{say.admin.audit.now}</span>
      </div>
      <details className="mt-2 text-sm">
        <summary className="min-h-6 cursor-pointer text-quiet">{say.admin.audit.inNumbers}</summary>
        <ul className="mt-2 grid gap-x-4 sm:grid-cols-2">
          {steps.map(({ at, events }, number) => (
            <li key={at}>
              <button type="button" className="flex min-h-7 w-full justify-between gap-3 underline-offset-4 hover:underline" onClick={() => show(number)}>
                <span>{named(new Date(at))}</span>
                <span className="text-quiet tabular-nums">{say.admin.audit.events(events)}</span>
              </button>
            </li>
          ))}
        </ul>
      </details>
    </>
  );
}

function States({ states }: { readonly states: readonly InState[] }) {
  const most = Math.max(1, ...states.map(({ requests }) => requests));
  return (
    <section className="min-w-0 rounded-xl bg-raised p-4">
      <h2 className="text-sm font-semibold text-quiet">{say.admin.audit.states}</h2>
      {states.length === 0 && <p className="mt-3 text-quiet">{say.admin.past.noRequests}</p>}
      <dl className="mt-3 grid grid-cols-[auto_1fr_auto] items-center gap-x-3 gap-y-1.5 text-sm">
        {states.map(({ state, requests }) => (
          <div key={state} className="contents">
            <dt>
              <Badge tone={TONES[state]}>{say.requestState[state]}</Badge>
            </dt>
            <dd className="h-2 rounded-full bg-quiet" style={{ width: `${(100 * requests) / most}%` }} aria-hidden="true" />
            <dd className="text-right tabular-nums">{requests}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** As a field for a moment wants it, in the time of whoever looks; nothing for none. */
function local(at: string | undefined): string {
  if (at === undefined) return "";
  const moment = new Date(at);
  return new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
