import { isProblem } from "./problem";

const AGAIN_MS = 30_000;

interface Asked {
  readonly error: unknown;
  readonly data: unknown;
}

/** When to ask again though no event says so: what failed for now, and what was answered with what Plex said before. */
export function askAgain({ error, data }: Asked): number | false {
  const passes = isProblem(error) && error.passes;
  return passes || isOfBefore(data) ? AGAIN_MS : false;
}

/** An age is a moment; a page's `as_of` in numbers is a position of the log, and new. */
function isOfBefore(data: unknown): boolean {
  if (typeof data !== "object" || data === null) return false;
  if ("pages" in data && Array.isArray(data.pages)) return data.pages.some(isOfBefore);
  return "as_of" in data && typeof data.as_of === "string";
}
