import type { MonitorView } from "../api/schema";
import { say } from "../strings/admin";
import { Badge, type Tone } from "../ui/Badge";
import { Empty, Ghost } from "../ui/Empty";
import { Section } from "../ui/Page";
import { ROW, Rows } from "../ui/Rows";
import { Loaded } from "../ui/Trouble";
import { useFromNow } from "../ui/useFromNow";
import { useMonitors } from "./queries";
import { ServiceMonitors } from "./ServiceMonitors";

const TONES: Readonly<Record<MonitorView["state"], Tone>> = {
  up: "good",
  degraded: "warn",
  down: "bad",
  maintenance: "busy",
  paused: "plain",
  gone: "plain",
  unknown: "plain",
};

/** What Uptime Kuma watches, and which of it stands for which of our services. */
export default function Monitoring() {
  return (
    <Loaded asked={useMonitors()} ghost={<Ghost className="h-96" />}>
      {(monitors) => (
        <>
          <ServiceMonitors monitors={monitors} />
          <Section title={say.admin.monitoring.monitors(monitors.kuma)}>
            {monitors.why && <p role="status" className="mb-3 text-sm text-warn">{monitors.why}</p>}
            <Rows abreast none={<Empty title={say.admin.monitoring.none} hint={say.admin.monitoring.noneHint} />}>
              {monitors.items.map((monitor) => (
                <MonitorRow key={monitor.monitor} monitor={monitor} />
              ))}
            </Rows>
          </Section>
        </>
      )}
    </Loaded>
  );
}

function MonitorRow({ monitor }: { readonly monitor: MonitorView }) {
  const { name, kind, address, state, since, ping_ms: ping, message, stands_for: standsFor, uptime } = monitor;
  const fromNow = useFromNow();
  const facts = [kind, address, ping !== null && say.admin.monitoring.ping(ping), since && fromNow(new Date(since))];
  return (
    <li className={ROW}>
      <div className="min-w-0 grow basis-60">
        <p className="font-medium">{name}</p>
        <p className="text-xs break-all text-quiet">{facts.filter(Boolean).join(" · ")}</p>
        <p className="text-xs text-quiet tabular-nums">
          {(["day", "week", "month"] as const).map((span) => `${say.home.uptime[span]} ${say.home.uptime.share(uptime[span])}`).join(" · ")}
        </p>
        {standsFor.map(({ service, by }) => (
          <p key={service} className="text-sm text-quiet">
            {say.admin.monitoring.standsFor(say.service[service], say.admin.monitoring.matched[by])}
          </p>
        ))}
        {standsFor.length === 0 && <p className="text-sm text-quiet">{say.admin.monitoring.standsForNone}</p>}
        {message && state !== "up" && <p className="text-sm text-quiet">{message}</p>}
      </div>
      <Badge tone={TONES[state]}>{say.kumaState[state]}</Badge>
    </li>
  );
}
