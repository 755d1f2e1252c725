import { useMe } from "../session/useMe";
import { say } from "../strings/admin";
import { Button } from "../ui/Button";
import { GhostRows } from "../ui/Empty";
import { More } from "../ui/More";
import { Rows } from "../ui/Rows";
import { Loaded, Trouble } from "../ui/Trouble";
import { PersonRow } from "./PersonRow";
import { QuotaForm } from "./QuotaForm";
import { useImport, usePeople, useQuotaOfAll, useSetQuotaOfAll } from "./queries";

/** Everybody who has an account: what they may do, and whether they may come in. */
export default function People() {
  const asked = usePeople();
  const me = useMe().data;
  const mayManage = me?.permissions.includes("accounts.manage") ?? false;
  return (
    <>
      {mayManage && <Import />}
      {mayManage && <QuotasOfAll />}
      <Loaded asked={asked} ghost={<GhostRows rows={8} className="h-18" />}>
        {({ pages }) => (
          <Rows abreast>
            {pages
              .flatMap((page) => page.items)
              .map((person) => (
                <PersonRow key={person.account} person={person} mayManage={mayManage && person.account !== me?.account} />
              ))}
          </Rows>
        )}
      </Loaded>
      <More list={asked} />
    </>
  );
}

function QuotasOfAll() {
  const quotas = useQuotaOfAll().data?.items ?? [];
  const set = useSetQuotaOfAll();
  if (quotas.length === 0) return null;
  return (
    <details className="mb-5 rounded-xl bg-raised p-4">
      <summary className="cursor-pointer font-medium">{say.admin.people.quotasOfAll}</summary>
      <div className="mt-4 grid gap-5 lg:grid-cols-2">
        {quotas.map((quota) => (
          <QuotaForm key={`${quota.kind} ${quota.limit} ${quota.days}`} quota={quota} set={set} />
        ))}
      </div>
    </details>
  );
}

function Import() {
  const bring = useImport();
  return (
    <div className="mb-5 flex flex-wrap items-center gap-3">
      <Button disabled={bring.isPending} onClick={() => bring.mutate()}>
        {say.admin.people.bring}
      </Button>
      <p role="status" className="text-sm text-quiet">
        {bring.data && say.admin.people.brought(bring.data.imported, bring.data.shared_with)}
      </p>
      {bring.error && <Trouble error={bring.error} />}
    </div>
  );
}
