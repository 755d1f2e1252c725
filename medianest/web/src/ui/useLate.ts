import { useEffect, useState } from "react";

const QUIET_MS = 2_000; // so long what is on its way needs no word

/** Whether it has been so for a while. */
export function useLate(is: boolean): boolean {
  const [isLate, come] = useState(false);
  useEffect(() => {
    if (!is) return;
    const timer = setTimeout(() => come(true), QUIET_MS);
    return () => {
      clearTimeout(timer);
      come(false);
    };
  }, [is]);
  return isLate;
}
