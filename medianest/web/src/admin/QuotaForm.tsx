import { type FormEvent, useState } from "react";
import type { NewQuota } from "../api/schema";
import { say } from "../strings/admin";
import { Button } from "../ui/Button";
import { FIELD } from "../ui/Field";
import { Trouble } from "../ui/Trouble";

interface QuotaProps {
  readonly quota: NewQuota;
  readonly used?: number;
  readonly set: { readonly mutate: (quota: NewQuota) => void; readonly isPending: boolean; readonly error: unknown };
}

/** So many films, or seasons, in so many days. */
export function QuotaForm({ quota, used, set }: QuotaProps) {
  const { kind } = quota;
  const [limit, setLimit] = useState(quota.limit);
  const [days, setDays] = useState(quota.days);
  const isSame = limit === quota.limit && days === quota.days;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    set.mutate({ kind, limit, days });
  };
  return (
    <form className="grid grid-cols-[1fr_1fr_auto] items-end gap-3" onSubmit={submit}>
      <label className="text-sm text-quiet">
        {say.admin.people.quotaOf[kind]}
        <input type="number" required min={0} max={10_000} value={limit} className={FIELD} onChange={(event) => setLimit(event.target.valueAsNumber || 0)} />
      </label>
      <label className="text-sm text-quiet">
        {say.admin.people.inDays}
        <input type="number" required min={1} max={365} value={days} className={FIELD} onChange={(event) => setDays(event.target.valueAsNumber || 1)} />
      </label>
      <Button type="submit" disabled={isSame || set.isPending}>
        {say.admin.people.setQuota}
        <span className="sr-only">{say.admin.people.quotaOf[kind]}</span>
      </Button>
      {used !== undefined && quota.limit > 0 && <p className="col-span-3 -mt-1 text-xs text-quiet">{say.admin.people.used(used, quota.limit)}</p>}
      {set.error ? <div className="col-span-3"><Trouble error={set.error} /></div> : null}
    </form>
  );
}
