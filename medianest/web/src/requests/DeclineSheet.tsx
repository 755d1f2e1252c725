import { useState } from "react";
import type { Decline, RequestView } from "../api/schema";
import { say } from "../strings/requests";
import { Button } from "../ui/Button";
import { FIELD } from "../ui/Field";
import { Sheet } from "../ui/Sheet";

const REASONS: readonly Decline["reason"][] = ["already-have-something-like-it", "not-suitable", "no-space", "too-many", "other"];

interface DeclineProps {
  readonly requests: readonly RequestView[];
  readonly decline: (body: Decline) => void;
  readonly onClose: () => void;
}

/** Why not: who asked is told, in these words. */
export default function DeclineSheet({ requests, decline, onClose }: DeclineProps) {
  const [reason, setReason] = useState<Decline["reason"]>("not-suitable");
  const [note, setNote] = useState("");
  const [only] = requests;
  const what = only && requests.length === 1 ? only.title : say.requests.several(requests.length);
  const send = () => {
    onClose();
    decline({ reason, note: note.trim() || null });
  };
  return (
    <Sheet title={say.requests.declineTitle(what)} lead={say.requests.declineLead} onClose={onClose}>
      <fieldset className="mb-3">
        <legend className="sr-only">{say.requests.reason}</legend>
        {REASONS.map((one) => (
          <label key={one} className="flex min-h-10 items-center gap-3 rounded-lg px-2 hover:bg-sunken">
            <input type="radio" name="reason" className="size-4 accent-accent" checked={reason === one} onChange={() => setReason(one)} />
            {say.requests.reasons[one]}
          </label>
        ))}
      </fieldset>
      <label className="mb-4 block text-sm text-quiet">
        {say.requests.yourWords}
        <textarea
          value={note}
          maxLength={500}
          rows={2}
          className={`${FIELD} h-auto! py-2`}
          onChange={(event) => setNote(event.target.value)}
        />
      </label>
      <div className="mt-2 grid grid-cols-2 gap-2">
        <Button onClick={onClose}>{say.back}</Button>
        <Button weight="danger" onClick={send}>
          {say.requests.decline}
        </Button>
      </div>
    </Sheet>
  );
}
