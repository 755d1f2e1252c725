/** For how long back it is pictured how much happened, and in steps of what. */
export const SPANS = {
  day: { steps: 24, unit: "hour" },
  week: { steps: 7, unit: "day" },
  month: { steps: 30, unit: "day" },
  quarter: { steps: 90, unit: "day" },
} as const;
export type Span = keyof typeof SPANS;

/** Where each step begins, and where the last one, which is not over yet, ends: by the clock of who looks, whose days
 * are not all of the same length. */
export function marksOf(span: Span, now = new Date()): Date[] {
  const { steps, unit } = SPANS[span];
  return Array.from({ length: steps + 1 }, (_, number) => {
    const back = steps - 1 - number;
    if (unit === "day") return new Date(now.getFullYear(), now.getMonth(), now.getDate() - back);
    const hour = new Date(now);
    hour.setMinutes(0, 0, 0);
    return new Date(hour.getTime() - back * 3_600_000);
  });
}
