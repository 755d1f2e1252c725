import type { KumaSees, Service, Uptime } from "../api/schema";
import { say } from "../strings/house";
import { Badge, type Tone } from "../ui/Badge";
import { atClock } from "../ui/units";
import { useFromNow } from "../ui/useFromNow";
import { UptimeBars } from "./UptimeBars";
import { useUptime } from "./queries";

export const STATE_TONES: Readonly<Record<Service["state"], Tone>> = { up: "good", degraded: "warn", down: "bad", unknown: "plain", maintenance: "busy" };

export function ServiceTiles({ services }: { readonly services: readonly Service[] }) {
  const { data, isPending } = useUptime();
  return (
    <ul className="grid grid-cols-3 gap-2 md:gap-2.5">
      {services.map((service) => (
        <Tile key={service.service} service={service} uptime={isPending ? null : data?.items.find((one) => one.service === service.service)} />
      ))}
    </ul>
  );
}

function Tile({ service, uptime }: { readonly service: Service; readonly uptime: Uptime | null | undefined }) {
  const { state, latency_ms: latency, since, until, why, checked_at: checked } = service;
  const fromNow = useFromNow();
  const when = until ? say.home.until(atClock(new Date(until))) : since && say.home.since(fromNow(new Date(since)));
  return (
    <li className="flex min-w-0 flex-col rounded-xl bg-raised px-3 py-2.5 md:px-4 md:py-3">
      <div className="flex flex-col items-start justify-between gap-x-2 sm:flex-row sm:items-center">
        <span className="max-w-full truncate font-medium">{say.service[service.service]}</span>
        <Badge tone={STATE_TONES[state]}>{say.serviceState[state]}</Badge>
      </div>
      <p className="mt-0.5 truncate text-xs text-quiet tabular-nums">
        {state === "up" && latency !== null ? say.home.latency(latency) : when}
        {checked && <span className="hidden sm:inline"> · {say.home.checked(fromNow(new Date(checked)))}</span>}
        {state !== "up" && why && ` · ${why}`}
      </p>
      {service.kuma && <Beside sees={service.kuma} />}
      {uptime && <UptimeBars uptime={uptime} />}
      {uptime === null && <div className="mt-auto h-6.5 sm:h-12" />}
    </li>
  );
}

/** What Uptime Kuma sees of it. Our own probe decides; where the two disagree it is said, not hidden. */
function Beside({ sees }: { readonly sees: KumaSees }) {
  const odd = sees.agrees === false;
  const ping = sees.state === "up" && !odd && sees.ping_ms !== null && ` · ${say.home.latency(sees.ping_ms)}`;
  return (
    <p className={`text-xs tabular-nums ${odd ? "text-warn" : "truncate text-quiet"}`} title={sees.monitor ?? undefined}>
      {odd ? say.home.kumaDisagrees[sees.state] : `${say.home.kuma}: ${say.kumaState[sees.state]}`}
      {ping && <span className="hidden sm:inline">{ping}</span>}
    </p>
  );
}
