import { lazy, Suspense, useState } from "react";
import type { Account, NewRole } from "../api/schema";
import { say } from "../strings/admin";
import { Badge, type Tone } from "../ui/Badge";
import { Button } from "../ui/Button";
import { inWords } from "../ui/Trouble";
import { fromNow } from "../ui/units";
import { useActOn, useRole } from "./queries";

const EraseSheet = lazy(() => import("./EraseSheet"));
const PersonSheet = lazy(() => import("./PersonSheet"));
const SuspendSheet = lazy(() => import("./SuspendSheet"));
const ROLES: readonly NewRole["role"][] = ["member", "trusted", "moderator", "admin"];
const TONES: Readonly<Record<string, Tone>> = { active: "good", suspended: "warn", erased: "plain" };

/** One person: their role, and the way to shut them out, let them in again, or forget them. */
export function PersonRow({ person, mayManage }: { readonly person: Account; readonly mayManage: boolean }) {
  const { name, role, state, reason } = person;
  const isOpen = mayManage && role !== "owner" && state !== "erased";
  return (
    <li className="rounded-xl bg-raised p-4">
      <div className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1">
        <p className="min-w-0 truncate font-medium">{name}</p>
        <Badge tone={TONES[state] ?? "plain"}>{say.admin.people.states[state] ?? state}</Badge>
      </div>
      <p className="text-xs text-quiet">
        {[say.you.role[role], say.admin.people.since(fromNow(new Date(person.opened_at))), reason && say.admin.people.reasons[reason]]
          .filter(Boolean)
          .join(" · ")}
      </p>
      {isOpen && <Acts person={person} />}
    </li>
  );
}

function Acts({ person }: { readonly person: Account }) {
  const act = useActOn(person);
  const role = useRole(person);
  const [open, setOpen] = useState<"details" | "suspend" | "erase">();
  const close = () => setOpen(undefined);
  const isOut = person.state === "suspended";
  const failed = act.error ?? role.error;
  return (
    <div className="mt-3 flex flex-wrap items-center gap-2">
      <select
        aria-label={say.admin.people.roleOf(person.name)}
        value={person.role}
        disabled={role.isPending}
        className="min-h-10 rounded-lg border border-line bg-paper px-3"
        onChange={(event) => role.mutate(event.target.value as NewRole["role"])}
      >
        {ROLES.map((one) => (
          <option key={one} value={one}>
            {say.you.role[one]}
          </option>
        ))}
      </select>
      <Button onClick={() => setOpen("details")}>
        {say.admin.people.details}
        <span className="sr-only">{person.name}</span>
      </Button>
      <Button disabled={act.isPending} onClick={() => (isOut ? act.mutate("reinstate") : setOpen("suspend"))}>
        {isOut ? say.admin.people.reinstate : say.admin.people.suspend}
        <span className="sr-only">{person.name}</span>
      </Button>
      <Button weight="danger" onClick={() => setOpen("erase")}>
        {say.admin.people.erase}
        <span className="sr-only">{person.name}</span>
      </Button>
      {failed && <p role="alert" className="w-full text-sm text-bad">{inWords(failed).title} {inWords(failed).remedy}</p>}
      <Suspense>
        {open === "details" && <PersonSheet person={person} onClose={close} />}
        {open === "suspend" && <SuspendSheet person={person} onClose={close} />}
        {open === "erase" && <EraseSheet person={person} onClose={close} />}
      </Suspense>
    </div>
  );
}
