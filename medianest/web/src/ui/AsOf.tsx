import { say } from "../strings/house";
import { atClock } from "./units";
import { useLate } from "./useLate";

interface AsOfProps {
  readonly told: Told | undefined;
  readonly of?: string;
}

interface Told {
  readonly as_of?: string | null;
  readonly still_asked?: boolean;
}

/** Says how old it is what Plex, or another system, said last, where it says nothing now. */
export function AsOf({ told, of = "Plex" }: AsOfProps) {
  const isLate = useLate(told?.still_asked ?? false);
  if (!told?.as_of || (told.still_asked && !isLate)) return null;
  const at = atClock(new Date(told.as_of));
  return (
    <p role="status" className="mb-3 text-sm text-warn">
      {told.still_asked ? say.stillAsked(of, at) : say.saidLast(of, at)}
    </p>
  );
}
