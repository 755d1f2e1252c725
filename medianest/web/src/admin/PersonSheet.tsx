import type { Account, Device, Left } from "../api/schema";
import { DeviceList } from "../session/DeviceList";
import { say } from "../strings/admin";
import { Button } from "../ui/Button";
import { Ghost } from "../ui/Empty";
import { Sheet } from "../ui/Sheet";
import { Loaded, Trouble } from "../ui/Trouble";
import { QuotaForm } from "./QuotaForm";
import { useDevicesOf, useEndOf, useQuotaOf, useSetQuotaOf, useTakeQuotaBack } from "./queries";

/** How much somebody may ask for, and where they are signed in. */
export default function PersonSheet({ person, onClose }: { readonly person: Account; readonly onClose: () => void }) {
  const quota = useQuotaOf(person);
  const devices = useDevicesOf(person);
  return (
    <Sheet title={person.name} lead={say.admin.people.detailsLead} onClose={onClose}>
      <div className="grid max-h-[65vh] gap-6 overflow-y-auto">
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
      </div>
    </Sheet>
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
