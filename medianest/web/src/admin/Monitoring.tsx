import type { Monitors, MonitorView } from "../api/schema";
import { say } from "../strings";
import { Badge, type Tone } from "../ui/Badge";
import { Empty, Ghost } from "../ui/Empty";
import { Section } from "../ui/Page";
import { Loaded } from "../ui/Trouble";
import { fromNow } from "../ui/units";
import { useMonitors } from "./queries";

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
          <Unmatched monitors={monitors} />
          <Section title={say.admin.monitoring.monitors(monitors.kuma)}>
            {monitors.why && <p role="status" className="mb-3 text-sm text-warn">{monitors.why}</p>}
            {monitors.items.length === 0 ? (
              <Empty title={say.admin.monitoring.none} hint={say.admin.monitoring.noneHint} />
            ) : (
              <ul className="grid gap-2.5 lg:grid-cols-2">
                {monitors.items.map((monitor) => (
                  <MonitorRow key={monitor.monitor} monitor={monitor} />
                ))}
              </ul>
            )}
          </Section>
        </>
      )}
    </Loaded>
  );
}

/** The services that nothing stands for: the match is by name, by address, or by what the settings say. */
function Unmatched({ monitors: { unmatched, items } }: { readonly monitors: Monitors }) {
  if (unmatched.length === 0 || items.length === 0) return null;
  return (
    <Section title={say.admin.monitoring.unmatched}>
      <ul className="grid gap-2.5">
        {unmatched.map(({ service, words }) => (
          <li key={service} className="rounded-xl bg-raised p-4">
            <p className="font-medium">{say.service[service]}</p>
            <p className="text-sm text-quiet">{words}</p>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function MonitorRow({ monitor }: { readonly monitor: MonitorView }) {
  const { name, kind, address, state, since, ping_ms: ping, message, service, matched_by: by } = monitor;
  const facts = [kind, address, ping !== null && say.admin.monitoring.ping(ping), since && fromNow(new Date(since))];
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 rounded-xl bg-raised p-4">
      <div className="min-w-0 grow basis-60">
        <p className="font-medium break-words">{name}</p>
        <p className="text-xs break-all text-quiet">{facts.filter(Boolean).join(" · ")}</p>
        <p className="text-sm text-quiet">{service ? say.admin.monitoring.standsFor(say.service[service], by ? say.admin.monitoring.matched[by] : "") : say.admin.monitoring.standsForNone}</p>
        {message && state !== "up" && <p className="text-sm text-quiet">{message}</p>}
      </div>
      <Badge tone={TONES[state]}>{say.kumaState[state]}</Badge>
    </li>
  );
}
