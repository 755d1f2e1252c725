/** Where the house is shown as it was at a position. */
export function placeInPast(position: number): string {
  return `/admin/past?at=${position}`;
}

/** What the server is asked for: a position, or the moment somebody named by their own clock; undefined: it is neither. */
export function momentOf(at: string): string | undefined {
  if (/^\d{1,15}$/.test(at)) return at;
  const named = new Date(at);
  return Number.isNaN(named.getTime()) ? undefined : named.toISOString();
}
