import type { DownloadView } from "../api/schema";
import type { Tone } from "../ui/Badge";

export type State = DownloadView["state"];

export const TONES: Readonly<Record<State, Tone>> = {
  queued: "busy",
  deferred: "warn",
  downloading: "busy",
  stored: "good",
  scan_asked: "good",
  in_plex: "good",
  in_collection: "good",
  failed: "bad",
  cancelled: "plain",
  removed: "plain",
};

/** Whether it is on the server. */
export function isThere(state: State): boolean {
  return state === "stored" || state === "scan_asked" || state === "in_plex" || state === "in_collection";
}

/** What one may do about a download: stop what runs, try again what did not come, fetch again what was removed. */
export function actionFor(state: State): "cancel" | "retry" | "again" | undefined {
  if (state === "removed") return "again";
  if (state === "queued" || state === "deferred" || state === "downloading") return "cancel";
  return state === "failed" || state === "cancelled" ? "retry" : undefined;
}
