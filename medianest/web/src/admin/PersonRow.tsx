import { Suspense, useState } from "react";
import type { Account } from "../api/schema";
import { later } from "../app/later";
import { say } from "../strings/admin";
import { Badge } from "../ui/Badge";
import { Button } from "../ui/Button";
import { hueOfWord } from "../ui/hue";
import { ROW } from "../ui/Rows";
import { useFromNow } from "../ui/useFromNow";

const EraseSheet = later(() => import("./EraseSheet"));
const PersonSheet = later(() => import("./PersonSheet"));
const SuspendSheet = later(() => import("./SuspendSheet"));

/** One person: who they are, whether they may come in, and the way to change that. */
export function PersonRow({ person, mayManage }: { readonly person: Account; readonly mayManage: boolean }) {
  const fromNow = useFromNow();
  const { account, name, role, state, reason } = person;
  const facts = [say.you.role[role], say.admin.people.since(fromNow(new Date(person.opened_at))), reason && say.admin.people.reasons[reason]];
  return (
    <li className={ROW}>
      <Initial name={name} hue={hueOfWord(account)} />
      <div className="min-w-0 grow basis-32">
        <p dir="auto" className="truncate font-medium">{name}</p>
        <p className="text-xs text-quiet">{facts.filter(Boolean).join(" · ")}</p>
      </div>
      {state !== "active" && <Badge tone={state === "suspended" ? "warn" : "plain"}>{say.admin.people.states[state] ?? state}</Badge>}
      {mayManage && role !== "owner" && state !== "erased" && <Manage person={person} />}
    </li>
  );
}

function Initial({ name, hue }: { readonly name: string; readonly hue: number }) {
  return (
    <span aria-hidden="true" className="grid size-9 shrink-0 place-items-center rounded-full font-semibold text-white" style={{ background: `oklch(0.45 0.09 ${hue})` }}>
      {[...name][0]?.toUpperCase()}
    </span>
  );
}

function Manage({ person }: { readonly person: Account }) {
  const [open, setOpen] = useState<"person" | "suspend" | "erase">();
  const close = () => setOpen(undefined);
  return (
    <>
      <Button aria-haspopup="dialog" onClick={() => setOpen("person")}>
        {say.admin.people.manage}
        <span className="sr-only">{person.name}</span>
      </Button>
      <Suspense>
        {open === "person" && <PersonSheet person={person} suspend={() => setOpen("suspend")} erase={() => setOpen("erase")} onClose={close} />}
        {open === "suspend" && <SuspendSheet person={person} onClose={close} />}
        {open === "erase" && <EraseSheet person={person} onClose={close} />}
      </Suspense>
    </>
  );
}
