import { useState } from "react";
import { useSearchParams } from "wouter";
import { say } from "../../strings/admin";
import { Empty, Ghost } from "../../ui/Empty";
import { FIELD } from "../../ui/Field";
import { More } from "../../ui/More";
import { Loaded } from "../../ui/Trouble";
import { type Search, useAudit, usePeople } from "../queries";
import { EntryRow } from "./EntryRow";
import { Pictures } from "./Pictures";

const NAMES = ["person", "tag", "type", "since", "until"] as const;

/** Who did what and when, the newest first; what happens now comes on top by itself. */
export default function Audit() {
  const [params, setParams] = useSearchParams();
  const search = Object.fromEntries(NAMES.map((name) => [name, params.get(name) ?? ""])) as unknown as Search;
  const look = (change: Partial<Search>) =>
    setParams(Object.fromEntries(Object.entries({ ...search, ...change }).filter(([, value]) => value)), { replace: true });
  const asked = useAudit(search);
  return (
    <>
      <Pictures look={look} />
      <Filters search={search} look={look} />
      <Loaded asked={asked} ghost={<Ghost className="h-96" />}>
        {({ pages }) => {
          const entries = pages.flatMap((page) => page.items);
          if (entries.length === 0) return <Empty title={say.admin.audit.none} hint={say.admin.audit.noneHint} />;
          return (
            <ol className="divide-y divide-line rounded-xl border border-line bg-raised">
              {entries.map((entry) => (
                <EntryRow key={entry.position} entry={entry} look={look} />
              ))}
            </ol>
          );
        }}
      </Loaded>
      <More list={asked} />
    </>
  );
}

interface FiltersProps {
  readonly search: Search;
  readonly look: (change: Partial<Search>) => void;
}

function Filters({ search, look }: FiltersProps) {
  const people = usePeople().data?.pages.flatMap((page) => page.items) ?? [];
  const [isWide] = useState(() => matchMedia("(width >= 48rem)").matches); // on phones it would hide what it sifts
  return (
    <details open={isWide || Object.values(search).some(Boolean)} className="mb-5">
      <summary className="mb-3 min-h-9 w-fit cursor-pointer text-sm font-medium text-quiet">{say.admin.audit.filter}</summary>
      <form role="search" className="grid grid-cols-2 gap-3 text-sm text-quiet lg:grid-cols-5" onSubmit={(event) => event.preventDefault()}>
        <label className="col-span-2 grid gap-1 lg:col-span-1">
          {say.admin.audit.person}
          <select className={FIELD} value={search.person} onChange={(event) => look({ person: event.target.value })}>
            <option value="">{say.admin.audit.anybody}</option>
            {people.map(({ account, name }) => (
              <option key={account} value={account}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <Written label={say.admin.audit.tag} value={search.tag} take={(tag) => look({ tag })} />
        <Written label={say.admin.audit.type} value={search.type} take={(type) => look({ type })} />
        {(["since", "until"] as const).map((name) => (
          <label key={name} className="col-span-2 grid gap-1 sm:col-span-1">
            {say.admin.audit[name]}
            <input type="datetime-local" className={FIELD} value={search[name]} onChange={(event) => look({ [name]: event.target.value })} />
          </label>
        ))}
      </form>
    </details>
  );
}

/** Taken when it is written to its end: half a word finds nothing. */
function Written({ label, value, take }: { readonly label: string; readonly value: string; readonly take: (value: string) => void }) {
  return (
    <label className="grid gap-1">
      {label}
      <input
        key={value}
        defaultValue={value}
        className={FIELD}
        onBlur={(event) => take(event.target.value.trim())}
        onKeyDown={(event) => event.key === "Enter" && take(event.currentTarget.value.trim())}
      />
    </label>
  );
}
