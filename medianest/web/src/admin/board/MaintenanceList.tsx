import { type FormEvent, useState } from "react";
import type { Maintenance, NewMaintenance } from "../../api/schema";
import { say } from "../../strings/admin";
import { Button } from "../../ui/Button";
import { Empty, Ghost } from "../../ui/Empty";
import { FIELD } from "../../ui/Field";
import { Section } from "../../ui/Page";
import { ROW, Rows } from "../../ui/Rows";
import { Loaded, Trouble } from "../../ui/Trouble";
import { ALWAYS, isOver, momentsOf, PeriodFields, standingOf } from "./Period";
import { useEnd, useMaintenance, usePlan } from "./queries";

type Named = NewMaintenance["service"];
const SERVICES = Object.keys(say.service) as readonly Named[];

/** When a service is worked on: its tile says so, whatever is seen of it meanwhile. */
export function MaintenanceList() {
  const asked = useMaintenance();
  return (
    <Section title={say.admin.board.maintenance}>
      <MaintenanceForm />
      <Loaded asked={asked} ghost={<Ghost className="h-24" />}>
        {({ items }) => (
          <Rows none={<Empty title={say.admin.board.noneMaintained} hint={say.admin.board.noneMaintainedHint} />}>
            {items.map((one) => (
              <MaintenanceRow key={one.maintenance} maintenance={one} />
            ))}
          </Rows>
        )}
      </Loaded>
    </Section>
  );
}

function MaintenanceForm() {
  const [service, choose] = useState<Named>("plex");
  const [why, write] = useState("");
  const [period, type] = useState(ALWAYS);
  const plan = usePlan();
  const done = () => {
    write("");
    type(ALWAYS);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    plan.mutate({ service, why: why.trim(), ...momentsOf(period) }, { onSuccess: done });
  };
  return (
    <form className="mb-4 grid gap-3 rounded-xl border border-line bg-raised p-4" onSubmit={submit}>
      <div className="grid gap-3 md:grid-cols-[12rem_1fr]">
        <label className="block text-sm text-quiet">
          {say.admin.board.service}
          <select value={service} className={FIELD} onChange={(event) => choose(event.target.value as Named)}>
            {SERVICES.map((one) => (
              <option key={one} value={one}>
                {say.service[one]}
              </option>
            ))}
          </select>
        </label>
        <label className="block text-sm text-quiet">
          {say.admin.board.why}
          <input required maxLength={500} value={why} className={FIELD} onChange={(event) => write(event.target.value)} />
        </label>
      </div>
      <PeriodFields typed={period} type={type} />
      {plan.error && <Trouble error={plan.error} />}
      <div>
        <Button type="submit" weight="strong" disabled={why.trim() === "" || plan.isPending}>
          {say.admin.board.plan}
        </Button>
      </div>
    </form>
  );
}

function MaintenanceRow({ maintenance }: { readonly maintenance: Maintenance }) {
  const end = useEnd();
  return (
    <li className={ROW}>
      <div className="min-w-48 grow basis-64">
        <p>
          <span className="font-medium">{say.service[maintenance.service]}</span> · {maintenance.why}
        </p>
        <p className="text-xs text-quiet">{standingOf(maintenance)}</p>
        {end.error && <Trouble error={end.error} />}
      </div>
      {!isOver(maintenance) && (
        <Button disabled={end.isPending} onClick={() => end.mutate(maintenance.maintenance)}>
          {say.admin.board.end}
        </Button>
      )}
    </li>
  );
}
