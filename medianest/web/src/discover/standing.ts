import type { Found, Ours } from "../api/schema";
import { TONES } from "../requests/states";
import { say } from "../strings/discover";
import type { Tone } from "../ui/Badge";

/** How a title stands here: our own request knows most, then the request manager; undefined: it can be asked for. */
export function standingOf(state: Found["state"], ours: Ours | null): { tone: Tone; word: string } | undefined {
  if (ours) return { tone: TONES[ours.state], word: say.requestState[ours.state] };
  const word = state ? say.availability[state] : undefined;
  return word === undefined ? undefined : { tone: state === "available" ? "good" : state === "blocklisted" ? "bad" : "busy", word };
}

/** The seasons of a series that can be asked for: those that are neither there nor on their way. */
export function free<Season extends { readonly state: Found["state"] }>(seasons: readonly Season[]): Season[] {
  return seasons.filter(({ state }) => state === null || state === "unknown" || state === "deleted");
}
