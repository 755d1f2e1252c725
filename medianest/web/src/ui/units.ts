import { say } from "../strings/door";

const STEPS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];
const relative = once(() => new Intl.RelativeTimeFormat(say.language, { numeric: "auto", style: "short" }));
const clock = once(() => new Intl.DateTimeFormat(say.language, { hour: "2-digit", minute: "2-digit" }));
const dated = once(() => new Intl.DateTimeFormat(say.language, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }));

const exact = once(() => new Intl.DateTimeFormat(say.language, { dateStyle: "medium", timeStyle: "medium" }));
const day = once(() => new Intl.DateTimeFormat(say.language, { day: "numeric", month: "short" }));

/** What takes its time to make is made when it is first wanted. */
function once<Made>(make: () => Made): () => Made {
  let made: Made | undefined;
  return () => (made ??= make());
}

/** "24 Nov". */
export function onDay(at: Date): string {
  return day().format(at);
}

/** "24 Nov 2026, 14:05:09". */
export function toTheSecond(at: Date): string {
  return exact().format(at);
}

/** "5 min ago", "in 2 hr", "just now". */
export function fromNow(at: Date, now = Date.now()): string {
  const seconds = (at.getTime() - now) / 1000;
  const step = STEPS.find(([, length]) => Math.abs(seconds) >= length);
  return step ? relative().format(Math.trunc(seconds / step[1]), step[0]) : say.justNow;
}

/** "14:05", with the day where it is not today's. */
export function atClock(at: Date, now = new Date()): string {
  return at.toDateString() === now.toDateString() ? clock().format(at) : dated().format(at);
}

/** "1 h 20 min", "3 min", "40 s". */
export function duration(seconds: number): string {
  return seconds < 60 ? `${Math.max(0, Math.round(seconds))} s` : length(Math.round(seconds / 60));
}

/** "1 h 20 min", "2 h", "47 min". */
export function length(minutes: number): string {
  return [minutes >= 60 && `${Math.floor(minutes / 60)} h`, (minutes % 60 || minutes === 0) && `${minutes % 60} min`].filter(Boolean).join(" ");
}

const UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

/** "12 MB", "1.4 GB". */
export function bytes(count: number): string {
  const power = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, count)) / 3)));
  const value = count / 1000 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)} ${UNITS[power]}`;
}

/** "4:07": what is left, to the second. */
export function countdown(seconds: number): string {
  const left = Math.max(0, Math.floor(seconds));
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
}
