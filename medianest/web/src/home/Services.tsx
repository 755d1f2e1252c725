import { useQuery } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import type { IncidentView } from "../api/schema";
import { say } from "../strings/services";
import { Badge } from "../ui/Badge";
import { Empty, Ghost } from "../ui/Empty";
import { Page, Section } from "../ui/Page";
import { ROW, Rows } from "../ui/Rows";
import { Loaded } from "../ui/Trouble";
import { atClock, duration } from "../ui/units";
import { ServiceTiles } from "./ServiceTiles";

/** How the services are, how they have been, and what their failing held up. */
export default function Services() {
  const status = useQuery({ queryKey: ["dashboard", "status"], queryFn: () => answered(api.GET("/api/v1/dashboard/status")) });
  const incidents = useQuery({ queryKey: ["uptime", "incidents"], queryFn: () => answered(api.GET("/api/v1/dashboard/incidents")) });
  return (
    <Page title={say.services.title}>
      <Section title={say.services.now}>
        <Loaded asked={status} ghost={<Ghost className="h-32" />}>
          {({ items }) => <ServiceTiles services={items} />}
        </Loaded>
      </Section>
      <Section title={say.services.incidents}>
        <Loaded asked={incidents} ghost={<Ghost className="h-52" />}>
          {({ items }) => (
            <Rows none={<Empty title={say.services.none} hint={say.services.noneHint} />}>
              {items.map((incident) => (
                <Incident key={`${incident.service} ${incident.began}`} incident={incident} />
              ))}
            </Rows>
          )}
        </Loaded>
      </Section>
    </Page>
  );
}

function Incident({ incident }: { readonly incident: IncidentView }) {
  const { service, state, why, requests_held: requests, downloads_held: downloads } = incident;
  const began = new Date(incident.began);
  const ended = incident.ended === null ? null : new Date(incident.ended);
  const seconds = ((ended?.getTime() ?? Date.now()) - began.getTime()) / 1000;
  const when = ended ? say.services.span(atClock(began), atClock(ended)) : say.services.goesOn(atClock(began));
  const held = [requests > 0 && say.services.requestsHeld(requests), downloads > 0 && say.services.downloadsHeld(downloads)].filter(Boolean);
  return (
    <li className={ROW}>
      <div className="min-w-0 grow basis-60">
        <p className="font-medium">{say.services.what(say.service[service], state)}</p>
        <p className="text-sm text-quiet tabular-nums">
          {when} · {say.services.lasted(duration(seconds))}
        </p>
        {why && <p className="text-sm text-quiet">{why}</p>}
        <p className="text-sm text-quiet">{held.length > 0 ? held.join(" ") : say.services.nothingHeld}</p>
      </div>
      <Badge tone={ended ? "plain" : state === "down" ? "bad" : "warn"}>{ended ? say.services.over : say.services.notOver}</Badge>
    </li>
  );
}
