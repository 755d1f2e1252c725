import { say } from "../strings/house";
import { atClock } from "./units";

/** Says how old it is what Plex said last, where it says nothing now. */
export function AsOf({ at }: { readonly at: string | null | undefined }) {
  if (!at) return null;
  return (
    <p role="status" className="mb-3 text-sm text-warn">
      {say.plexAsOf(atClock(new Date(at)))}
    </p>
  );
}
