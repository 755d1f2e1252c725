import type { RequestView } from "../api/schema";
import type { Tone } from "../ui/Badge";

export type State = RequestView["state"];

export const TONES: Readonly<Record<State, Tone>> = {
  submitted: "busy",
  awaiting_approval: "warn",
  deferred: "warn",
  sent: "warn",
  approved: "busy",
  processing: "busy",
  partially_available: "busy",
  available: "good",
  declined: "bad",
  cancelled: "plain",
  failed: "bad",
  removed: "plain",
  merged: "plain",
};

/** What one may filter by, in the order in which things happen, and the states each stands for. */
export const STATES_OF = {
  waiting: ["submitted", "deferred"],
  approval: ["awaiting_approval", "sent"],
  coming: ["approved", "processing", "partially_available"],
  available: ["available"],
  declined: ["declined"],
  failed: ["failed"],
  cancelled: ["cancelled", "removed"],
} as const satisfies Readonly<Record<string, readonly State[]>>;
export type Filter = keyof typeof STATES_OF;
export const FILTERS = Object.keys(STATES_OF) as readonly Filter[];

const AT_REST: ReadonlySet<State> = new Set<State>(["submitted", "awaiting_approval", "deferred", "sent", "approved", "failed"]);
const MOVING: ReadonlySet<State> = new Set<State>(["approved", "processing", "partially_available"]);

/** Whether it can still be taken back, or declined: nothing is being fetched. */
export function canEnd(request: Pick<RequestView, "state">): boolean {
  return AT_REST.has(request.state);
}

const UNDECIDED: ReadonlySet<State> = new Set<State>(["submitted", "awaiting_approval", "deferred", "sent"]);

/** Whether it waits for a moderator. */
export function awaitsDecision(request: Pick<RequestView, "state">): boolean {
  return UNDECIDED.has(request.state);
}

/** Whether who asked may still have other seasons: nobody has decided. */
export function canChangeSeasons(request: Pick<RequestView, "state" | "kind" | "mine">): boolean {
  return request.mine && request.kind === "tv" && UNDECIDED.has(request.state);
}

export function isMoving(request: Pick<RequestView, "state">): boolean {
  return MOVING.has(request.state);
}

export const STEPS = ["asked", "approval", "fetching", "there"] as const;

interface Place {
  readonly at: number; // among the steps; behind the last one: it has arrived
  readonly isBroken: boolean; // it goes no further
}

/** Where on its way into Plex a request is; null: it was taken back, and goes nowhere. */
export function roadOf({ state }: Pick<RequestView, "state">): Place | null {
  if (state === "cancelled" || state === "removed" || state === "merged") return null;
  if (state === "available") return { at: STEPS.length, isBroken: false };
  if (state === "declined" || UNDECIDED.has(state)) return { at: 1, isBroken: state === "declined" };
  return { at: 2, isBroken: state === "failed" };
}
