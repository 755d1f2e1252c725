import { useSyncExternalStore } from "react";
import { fromNow } from "./units";

const TICK_MS = 30_000;
let ticks = 0;
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

/** `fromNow`, which says anew how long ago something was for as long as it is looked at. */
export function useFromNow(): typeof fromNow {
  useSyncExternalStore(onTick, () => ticks);
  return fromNow;
}

function onTick(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(tick, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function tick(): void {
  ticks++;
  for (const listener of listeners) listener();
}
