import type { Attempt, CircuitView, ReadModel } from "../api/schema";
import { say } from "../strings/admin";
import { Badge, type Tone } from "../ui/Badge";
import { Bar } from "../ui/Bar";
import { Button } from "../ui/Button";
import { Empty, Ghost } from "../ui/Empty";
import { Section } from "../ui/Page";
import { ROW, Rows } from "../ui/Rows";
import { inWords, Loaded } from "../ui/Trouble";
import { atClock } from "../ui/units";
import { useCircuits, useReadModels, useRebuild, useReset, useStuck, useStuckAct } from "./queries";

const TONES: Readonly<Record<CircuitView["state"], Tone>> = { closed: "good", open: "bad", "half-open": "warn" };

/** What MediaNest does by itself, and the handles for when it does not. */
export default function System() {
  return (
    <>
      <Section title={say.admin.system.stuck}>
        <Loaded asked={useStuck()} ghost={<Ghost className="h-24" />}>
          {({ items }) => (
            <Rows none={<Empty title={say.admin.system.noneStuck} />}>
              {items.map((work) => (
                <Stuck key={`${work.list} ${work.key}`} work={work} />
              ))}
            </Rows>
          )}
        </Loaded>
      </Section>
      <Section title={say.admin.system.breakers}>
        <Loaded asked={useCircuits()} ghost={<Ghost className="h-40" />}>
          {({ items }) => (
            <Rows abreast>
              {items.map((circuit) => (
                <Circuit key={circuit.service} circuit={circuit} />
              ))}
            </Rows>
          )}
        </Loaded>
      </Section>
      <Section title={say.admin.system.readModels}>
        <Loaded asked={useReadModels()} ghost={<Ghost className="h-40" />}>
          {({ items }) => (
            <Rows abreast>
              {items.map((model) => (
                <Model key={model.name} model={model} />
              ))}
            </Rows>
          )}
        </Loaded>
      </Section>
    </>
  );
}

function Stuck({ work }: { readonly work: Attempt }) {
  const act = useStuckAct(work);
  return (
    <li className={ROW}>
      <div className="min-w-0 grow basis-60">
        <p className="font-medium">{say.admin.system.lists[work.list] ?? work.list}</p>
        <p className="truncate text-xs text-quiet">{work.key}</p>
        <p className="mt-1 text-sm text-quiet">
          {say.admin.system.tried(work.attempts)} {work.last_error}
        </p>
        {act.error && <p role="alert" className="text-sm text-bad">{inWords(act.error).title}</p>}
      </div>
      <Badge tone={work.given_up ? "bad" : "warn"}>
        {work.given_up ? say.admin.system.givenUp : work.under_way ? say.admin.system.underWay : say.requests.nextTry(atClock(new Date(work.next_at)))}
      </Badge>
      <Button disabled={act.isPending} onClick={() => act.mutate("retry")}>
        {say.again}
      </Button>
      {!work.given_up && work.list !== "recurring" && (
        <Button weight="quiet" disabled={act.isPending} onClick={() => act.mutate("give-up")}>
          {say.admin.system.giveUp}
        </Button>
      )}
    </li>
  );
}

function Circuit({ circuit }: { readonly circuit: CircuitView }) {
  const reset = useReset(circuit);
  const isOpen = circuit.state !== "closed";
  return (
    <li className={ROW}>
      <div className={`min-w-0 grow ${isOpen ? "basis-60" : "basis-24"}`}>
        <p className="font-medium">{circuit.label}</p>
        {isOpen && (
          <p className="text-sm text-quiet">
            {[circuit.words, circuit.why && say.admin.system.wrong(circuit.why)].filter(Boolean).join(" ")}
            {circuit.next_call_at && ` ${say.requests.nextTry(atClock(new Date(circuit.next_call_at)))}.`}
          </p>
        )}
      </div>
      <Badge tone={TONES[circuit.state]}>{say.admin.system.circuit[circuit.state]}</Badge>
      {isOpen && (
        <Button disabled={reset.isPending} onClick={() => reset.mutate()}>
          {say.admin.system.reset}
        </Button>
      )}
    </li>
  );
}

function Model({ model }: { readonly model: ReadModel }) {
  const rebuild = useRebuild(model.name);
  return (
    <li className={ROW}>
      <div className={`min-w-0 grow ${model.failure || model.rebuild ? "basis-60" : "basis-24"}`}>
        <p className="font-medium">{model.name}</p>
        <p className="text-sm text-quiet">{model.failure ?? say.admin.system.position(model.position, model.behind)}</p>
        {model.rebuild != null && <Bar percent={(100 * model.rebuild.done) / Math.max(model.rebuild.of, 1)} label={say.admin.system.rebuilding(model.name)} />}
        {rebuild.error && <p role="alert" className="text-sm text-bad">{inWords(rebuild.error).title}</p>}
      </div>
      <Badge tone={model.failure ? "bad" : model.behind > 0 ? "busy" : "good"}>
        {model.failure ? say.admin.system.failed : model.behind > 0 ? say.admin.system.behind : say.admin.system.upToDate}
      </Badge>
      <Button disabled={rebuild.isPending} onClick={() => rebuild.mutate()}>
        {say.admin.system.rebuild}
        <span className="sr-only">{model.name}</span>
      </Button>
    </li>
  );
}
