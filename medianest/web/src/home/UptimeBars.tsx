import type { Uptime } from "../api/schema";
import { say } from "../strings/house";

/** The last thirty days, a bar each; and the shares of a day, a week and a month. */
export function UptimeBars({ uptime }: { readonly uptime: Uptime }) {
  const known = uptime.days.filter((day) => day !== null);
  return (
    <div className="mt-auto pt-2.5">
      <p className="sr-only">{say.home.uptime.days(known.length, known.filter((day) => day === 1).length)}</p>
      <ul className="flex h-4 items-end gap-px md:gap-0.5" aria-hidden="true">
        {uptime.days.map((share, index) => (
          <li
            key={index}
            className={`h-full min-w-0 grow rounded-[2px] ${look(share)}`}
            title={`${say.home.uptime.today(uptime.days.length - 1 - index)}: ${say.home.uptime.share(share)}`}
          />
        ))}
      </ul>
      <dl className="mt-1.5 hidden justify-between text-xs text-quiet tabular-nums sm:flex">
        {(["day", "week", "month"] as const).map((span) => (
          <div key={span} className="flex gap-1.5">
            <dt>{say.home.uptime[span]}</dt>
            <dd className="text-ink">{say.home.uptime.share(uptime[span])}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function look(share: number | null): string {
  if (share === null) return "bg-line";
  if (share > 0.99) return "bg-good";
  return share > 0.9 ? "bg-warn" : "bg-bad";
}
