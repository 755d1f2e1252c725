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

interface Season {
  readonly state: Found["state"];
}

/** Whether a season can be asked for: it is neither there nor on its way. */
export function isFree({ state }: Season): boolean {
  return state === null || state === "unknown" || state === "deleted";
}

export function free<Of extends Season>(seasons: readonly Of[]): Of[] {
  return seasons.filter(isFree);
}
