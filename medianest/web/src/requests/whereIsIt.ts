import type { RequestView } from "../api/schema";
import { say } from "../strings/requests";
import { atClock } from "../ui/units";

type Known = Pick<RequestView, "state" | "waiting" | "why">;

/** In a few words: why it waits and what is being tried, or why it was declined, or what its state means. */
export function whereIsIt({ state, waiting, why }: Known, now = new Date()): string {
  if (waiting?.next_at) return `${why ?? waiting.words} ${say.requests.nextTry(atClock(new Date(waiting.next_at), now))}.`;
  if (waiting) return [why, waiting.words].filter(Boolean).join(" ");
  if (state === "declined" && why !== null) return say.requests.declinedFor[why] ?? say.where.declined;
  return why ?? say.where[state];
}
