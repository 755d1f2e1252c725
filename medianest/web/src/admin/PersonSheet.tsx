import type { Account, Device, Left, NewRole } from "../api/schema";
import { DeviceList } from "../session/DeviceList";
import { say } from "../strings/admin";
import { Button } from "../ui/Button";
import { Ghost } from "../ui/Empty";
import { Sheet } from "../ui/Sheet";
import { Loaded, Trouble } from "../ui/Trouble";
import { FIELD } from "../ui/Field";
import { QuotaForm } from "./QuotaForm";
import { useActOn, useDevicesOf, useEndOf, useQuotaOf, useRole, useSetQuotaOf, useTakeQuotaBack } from "./queries";

const ROLES: readonly NewRole["role"][] = ["member", "trusted", "moderator", "admin"];

interface PersonProps {
  readonly person: Account;
  readonly suspend: () => void;
  readonly erase: () => void;
  readonly onClose: () => void;
}

/** What somebody may do, how much they may ask for, and where they are signed in; and the ways to shut them out. */
export default function PersonSheet({ person, suspend, erase, onClose }: PersonProps) {
  const quota = useQuotaOf(person);
  const devices = useDevicesOf(person);
  return (
    <Sheet title={person.name} lead={say.admin.people.manageLead} onClose={onClose}>
      <div className="grid max-h-[65vh] gap-6 overflow-y-auto">
        <Role person={person} />
        <section className="grid gap-3">
          <h3 className="text-sm font-semibold text-quiet">{say.admin.people.quotas}</h3>
          <Loaded asked={quota} ghost={<Ghost className="h-32" />}>
            {({ items }) => items.map((left) => <OwnQuota key={`${left.kind} ${left.limit} ${left.days}`} person={person} left={left} />)}
          </Loaded>
        </section>
        <section>
          <h3 className="mb-3 text-sm font-semibold text-quiet">{say.nav.devices}</h3>
          <Loaded asked={devices} ghost={<Ghost className="h-20" />}>
            {({ items }) => <DevicesOf person={person} devices={items} />}
          </Loaded>
        </section>
        <Access person={person} suspend={suspend} erase={erase} />
      </div>
    </Sheet>
  );
}

function Role({ person }: { readonly person: Account }) {
  const change = useRole(person);
  return (
    <section>
      <label className="block text-sm text-quiet">
        {say.admin.people.role}
        <select className={FIELD} value={person.role} disabled={change.isPending} onChange={(event) => change.mutate(event.target.value as NewRole["role"])}>
          {ROLES.map((one) => (
            <option key={one} value={one}>
              {say.you.role[one]}
            </option>
          ))}
        </select>
      </label>
      {change.error && <Trouble error={change.error} />}
    </section>
  );
}

/** Out, in again, or forgotten. */
function Access({ person, suspend, erase }: Omit<PersonProps, "onClose">) {
  const act = useActOn(person);
  return (
    <section>
      <h3 className="mb-3 text-sm font-semibold text-quiet">{say.admin.people.access}</h3>
      {act.error && <Trouble error={act.error} />}
      <div className="flex flex-wrap gap-2">
        {person.state === "suspended" ? (
          <Button disabled={act.isPending} onClick={() => act.mutate("reinstate")}>
            {say.admin.people.reinstate}
          </Button>
        ) : (
          <Button onClick={suspend}>{say.admin.people.suspend}</Button>
        )}
        <Button weight="danger" onClick={erase}>
          {say.admin.people.erase}
        </Button>
      </div>
    </section>
  );
}

function OwnQuota({ person, left }: { readonly person: Account; readonly left: Left }) {
  const { kind, limit, days, used, own } = left;
  const set = useSetQuotaOf(person);
  return (
    <div className="grid gap-1">
      <QuotaForm quota={{ kind, limit, days }} used={used} set={set} />
      {own ? <TakeBack person={person} kind={kind} /> : <p className="text-xs text-quiet">{say.admin.people.asEverybody}</p>}
    </div>
  );
}

/** From a quota of one's own back to that of all. */
function TakeBack({ person, kind }: { readonly person: Account; readonly kind: Left["kind"] }) {
  const back = useTakeQuotaBack(person);
  return (
    <div className="flex flex-wrap items-center justify-between gap-x-3 text-xs text-quiet">
      {say.admin.people.theirOwn}
      <Button disabled={back.isPending} onClick={() => back.mutate(kind)}>
        {say.admin.people.takeBack}
        <span className="sr-only">{say.admin.people.quotaOf[kind]}</span>
      </Button>
      {back.error && <div className="w-full"><Trouble error={back.error} /></div>}
    </div>
  );
}

function DevicesOf({ person, devices }: { readonly person: Account; readonly devices: readonly Device[] }) {
  const end = useEndOf(person);
  if (devices.length === 0) return <p className="text-sm text-quiet">{say.admin.people.noDevices}</p>;
  return <DeviceList devices={devices} all={say.admin.people.endAll} end={end} />;
}
