import { useEffect, useState } from "react";
import { say } from "../strings/house";
import { atClock } from "../ui/units";
import { newAsOf, type Standing, useStanding } from "./standing";

const PATIENCE_MS = 600; // what is over sooner need not be told

/** Says when the page is not live, why, and how old it is. */
export function LiveNote() {
  const shown = useLasting(useStanding());
  const at = newAsOf();
  return (
    <div role="status" className="sticky top-0 z-30" data-live={shown}>
      {(shown === "lost" || shown === "catching-up") && (
        <p className="border-b border-line bg-sunken px-4 py-2 text-center text-sm">
          {shown === "lost" ? say.live.lost : say.live.catchingUp} {at && say.live.asOf(atClock(at))}
        </p>
      )}
    </div>
  );
}

/** A good standing at once, a bad one when it lasts. */
function useLasting(standing: Standing): Standing {
  const [shown, show] = useState(standing);
  useEffect(() => {
    const timer = setTimeout(() => show(standing), standing === "live" ? 0 : PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [standing]);
  return shown;
}
