import { type ComponentType, lazy } from "react";
import { aWhile } from "../session/session";

/** A part of the UI whose code is fetched when it is wanted. */
export function later<Props>(fetchCode: () => Promise<{ readonly default: ComponentType<Props> }>) {
  return lazy(() => patiently(fetchCode, isReached, aWhile));
}

/** While nobody answers it is asked for again: it comes by itself, as what a page shows does. What fails though somebody answers is no more. */
export async function patiently<Code>(fetchCode: () => Promise<Code>, reached: () => Promise<boolean>, wait: () => Promise<void>): Promise<Code> {
  for (let isAnswered = false; ; ) {
    try {
      return await fetchCode();
    } catch (error) {
      if (isAnswered) throw error;
    }
    isAnswered = await reached();
    if (!isAnswered) await wait();
  }
}

function isReached(): Promise<boolean> {
  return fetch("/health/live", { cache: "no-store" }).then(
    (answer) => answer.ok,
    () => false,
  );
}
