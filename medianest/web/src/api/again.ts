import { isProblem } from "./problem";

const AGAIN_MS = 30_000;
const SOON_MS = 500; // the answer is on its way
const LONGEST_MS = 60_000; // no outside system is waited for that long by the server
const TRIES = 2;

interface Asked {
  readonly error: unknown;
  readonly data: unknown;
}

/** When to ask again though no event says so: what failed for now, and what was answered with what Plex said before. */
export function askAgain({ error, data }: Asked): number | false {
  if (parts(data).some((part) => "still_asked" in part && part.still_asked === true)) return SOON_MS;
  return (isProblem(error) && error.passes) || parts(data).some(isOfBefore) ? AGAIN_MS : false;
}

/** Whether to try once more before it counts as failed: what an outside system is still asked has not. */
export function tryOnceMore(failures: number, error: unknown): boolean {
  if (isStillAsked(error)) return failures < LONGEST_MS / SOON_MS;
  return failures < TRIES && isProblem(error) && error.passes;
}

export function pauseMs(failures: number, error: unknown): number {
  return isStillAsked(error) ? SOON_MS : 1000 * 2 ** failures;
}

/** The outside system takes its time, and is waited for. */
export function isStillAsked(error: unknown): boolean {
  return isProblem(error) && error.code.endsWith("-still-asked");
}

/** An age is a moment; a page's `as_of` in numbers is a position of the log, and new. */
function isOfBefore(part: object): boolean {
  return "as_of" in part && typeof part.as_of === "string";
}

/** What was answered, page by page. */
function parts(data: unknown): object[] {
  if (typeof data !== "object" || data === null) return [];
  return "pages" in data && Array.isArray(data.pages) ? data.pages.flatMap(parts) : [data];
}
