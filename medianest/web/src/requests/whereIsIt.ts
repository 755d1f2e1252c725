import type { RequestView } from "../api/schema";
import { say } from "../strings/requests";
import { atClock } from "../ui/units";

type Known = Pick<RequestView, "state" | "waiting" | "why">;

/** In one sentence: what is being tried now, or why it waits or was declined, or what its state means. */
export function whereIsIt({ state, waiting, why }: Known, now = new Date()): string {
  if (waiting) return [waiting.words, waiting.next_at && `${say.requests.nextTry(atClock(new Date(waiting.next_at), now))}.`].filter(Boolean).join(" ");
  if (state === "declined" && why !== null) return say.requests.declinedFor[why] ?? say.where.declined;
  return why ?? say.where[state];
}
