const POSITION = /^\d{1,15}$/;
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/; // as a field gives it; browsers take "foo 5" for a date too

/** Where the house is shown as it was at a position. */
export function placeInPast(position: number): string {
  return `/admin/past?at=${position}`;
}

/** The event that was the last one then; undefined: a moment was named, or nothing. */
export function positionOf(at: string): number | undefined {
  return POSITION.test(at) ? Number(at) : undefined;
}

/** A moment named by the clock of who looks, as the server takes it; undefined: it is none. */
export function byTheClock(written: string): string | undefined {
  const named = MOMENT.test(written) ? new Date(written).getTime() : Number.NaN;
  return Number.isNaN(named) ? undefined : new Date(named).toISOString();
}

/** What the server is asked for: a position, or a moment; undefined: it is neither. */
export function momentOf(at: string): string | undefined {
  return positionOf(at) === undefined ? byTheClock(at) : at;
}

/** Whether it is not over yet, so that what is shown is how things are now. `newest`: the last event so far. */
export function isAhead(at: string, newest: number | undefined, now = Date.now()): boolean {
  const position = positionOf(at);
  return position === undefined ? Date.parse(byTheClock(at) ?? "") > now : newest !== undefined && position > newest;
}
