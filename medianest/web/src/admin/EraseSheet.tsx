import { useState } from "react";
import type { Account } from "../api/schema";
import { say } from "../strings/admin";
import { Button } from "../ui/Button";
import { FIELD } from "../ui/Field";
import { Sheet } from "../ui/Sheet";
import { Trouble } from "../ui/Trouble";
import { useActOn } from "./queries";

/** Forgetting somebody cannot be taken back: who does it writes the name. */
export default function EraseSheet({ person, onClose }: { readonly person: Account; readonly onClose: () => void }) {
  const [typed, type] = useState("");
  const act = useActOn(person);
  return (
    <Sheet title={say.admin.people.eraseTitle(person.name)} lead={say.admin.people.eraseLead} onClose={onClose}>
      <label className="mb-4 block text-sm text-quiet">
        {say.admin.people.typeName(person.name)}
        <input
          value={typed}
          autoComplete="off"
          className={FIELD}
          onChange={(event) => type(event.target.value)}
        />
      </label>
      {act.error && <Trouble error={act.error} />}
      <div className="mt-2 grid grid-cols-2 gap-2">
        <Button onClick={onClose}>{say.back}</Button>
        <Button weight="danger" disabled={typed !== person.name || act.isPending} onClick={() => act.mutate("erase", { onSuccess: onClose })}>
          {say.admin.people.erase}
        </Button>
      </div>
    </Sheet>
  );
}
