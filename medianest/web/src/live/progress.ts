import { useSyncExternalStore } from "react";

/** How far something is, as the last signal said. Signals are not kept: after a reload the next one says it again. */
interface Progress {
  readonly percent: number | null;
  readonly etaSeconds: number | null;
  readonly bytesPerSecond: number | null;
}

const known = new Map<string, Progress>();
const listeners = new Set<() => void>();

export function useProgress(id: string): Progress | undefined {
  return useSyncExternalStore(subscribe, () => known.get(id));
}

export function progressed(payload: Readonly<Record<string, unknown>>): void {
  const id = payload["request"] ?? payload["download"];
  if (typeof id !== "string") return;
  known.set(id, {
    percent: number(payload["percent"]),
    etaSeconds: number(payload["eta_seconds"]),
    bytesPerSecond: number(payload["speed_bytes"]),
  });
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function number(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
