import { useState } from "react";
import type { Account } from "../api/schema";
import { say } from "../strings/admin";
import { Button } from "../ui/Button";
import { FIELD } from "../ui/Field";
import { Sheet } from "../ui/Sheet";
import { Trouble } from "../ui/Trouble";
import { useSuspend } from "./queries";

/** Shuts somebody out, at once and everywhere; why is on record. */
export default function SuspendSheet({ person, onClose }: { readonly person: Account; readonly onClose: () => void }) {
  const [note, write] = useState("");
  const suspend = useSuspend(person);
  return (
    <Sheet title={say.admin.people.suspendTitle(person.name)} lead={say.admin.people.suspendLead} onClose={onClose}>
      <label className="mb-4 block text-sm text-quiet">
        {say.admin.people.why}
        <textarea value={note} maxLength={500} rows={2} className={`${FIELD} h-auto! py-2`} onChange={(event) => write(event.target.value)} />
      </label>
      {suspend.error && <Trouble error={suspend.error} />}
      <div className="mt-2 grid grid-cols-2 gap-2">
        <Button onClick={onClose}>{say.back}</Button>
        <Button weight="danger" disabled={suspend.isPending} onClick={() => suspend.mutate({ note: note.trim() || null }, { onSuccess: onClose })}>
          {say.admin.people.suspend}
        </Button>
      </div>
    </Sheet>
  );
}
