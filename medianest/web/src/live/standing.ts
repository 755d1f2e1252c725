import { useSyncExternalStore } from "react";

/** How we stand with the stream: of several namespaces the one that is worst off counts. */
export type Standing = "off" | "lost" | "catching-up" | "live";

const namespaces = new Map<string, Exclude<Standing, "off">>();
const listeners = new Set<() => void>();
let lastLive: Date | undefined;

export function useStanding(): Standing {
  return useSyncExternalStore(subscribe, connectionOf);
}

/** When everything shown was last known to be new. */
export function newAsOf(): Date | undefined {
  return lastLive;
}

export function connectionOf(): Standing {
  const all = [...namespaces.values()];
  return all.length === 0 ? "off" : (all.find((one) => one === "lost") ?? all.find((one) => one !== "live") ?? "live");
}

export function become(namespace: string, standing: Exclude<Standing, "off">): void {
  if (connectionOf() === "live") lastLive = new Date();
  namespaces.set(namespace, standing);
  for (const listener of listeners) listener();
}

export function forget(): void {
  namespaces.clear();
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
