import { say } from "../strings/house";
import { atClock } from "./units";

interface AsOfProps {
  readonly at: string | null | undefined;
  readonly of?: string;
}

/** Says how old it is what Plex, or another system, said last, where it says nothing now. */
export function AsOf({ at, of = "Plex" }: AsOfProps) {
  if (!at) return null;
  return (
    <p role="status" className="mb-3 text-sm text-warn">
      {say.saidLast(of, atClock(new Date(at)))}
    </p>
  );
}
