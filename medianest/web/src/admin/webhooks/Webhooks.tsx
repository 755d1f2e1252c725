import { Suspense, useState } from "react";
import type { Webhook } from "../../api/schema";
import { later } from "../../app/later";
import { say } from "../../strings/admin";
import { Badge, type Tone } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { CHIP } from "../../ui/Chip";
import { Empty, Ghost } from "../../ui/Empty";
import { More } from "../../ui/More";
import { ROW, Rows } from "../../ui/Rows";
import { Loaded } from "../../ui/Trouble";
import { atClock } from "../../ui/units";
import { useWebhooks } from "./queries";

type Service = Webhook["service"];

const WebhookSheet = later(() => import("./WebhookSheet"));
const SERVICES: readonly Service[] = ["seerr", "plex", "uptime-kuma"];
const TONES: Readonly<Record<Webhook["outcome"], Tone>> = { nothing: "plain", waiting: "busy", asked: "good" };

/** What outside systems have posted lately, the newest first, and what came of it. */
export default function Webhooks() {
  const [service, choose] = useState<Service | null>(null);
  const [open, setOpen] = useState<Webhook>();
  const asked = useWebhooks(service);
  return (
    <>
      <p className="mb-4 text-sm text-quiet">{say.admin.webhooks.lead}</p>
      <div role="group" aria-label={say.admin.webhooks.from} className="chips mb-5">
        {[null, ...SERVICES].map((one) => (
          <button key={one ?? "all"} type="button" className={CHIP} aria-pressed={service === one} onClick={() => choose(one)}>
            {one ? say.admin.webhooks.services[one] : say.admin.webhooks.all}
          </button>
        ))}
      </div>
      <Loaded asked={asked} ghost={<Ghost className="h-96" />}>
        {({ pages }) => (
          <Rows abreast none={<NoneOf service={service} />}>
            {pages.flatMap((page) => page.items).map((webhook) => (
              <Row key={webhook.webhook} webhook={webhook} onOpen={() => setOpen(webhook)} />
            ))}
          </Rows>
        )}
      </Loaded>
      <More list={asked} />
      <Suspense>{open && <WebhookSheet webhook={open} onClose={() => setOpen(undefined)} />}</Suspense>
    </>
  );
}

function NoneOf({ service }: { readonly service: Service | null }) {
  const { none, noneOf, noneHint, services } = say.admin.webhooks;
  return <Empty title={service ? noneOf(services[service]) : none} hint={noneHint} />;
}

function Row({ webhook, onOpen }: { readonly webhook: Webhook; readonly onOpen: () => void }) {
  const when = atClock(new Date(webhook.received_at));
  const service = say.admin.webhooks.services[webhook.service];
  return (
    <li className={ROW}>
      <div className="min-w-0 grow basis-24">
        <p className="font-medium">{service}</p>
        <p className="text-xs text-quiet">
          <time dateTime={webhook.received_at}>{when}</time> · {say.admin.webhooks.times(webhook.times)}
        </p>
      </div>
      <Badge tone={TONES[webhook.outcome]}>{say.admin.webhooks.outcomes[webhook.outcome]}</Badge>
      <Button onClick={onOpen}>
        {say.admin.webhooks.open}
        <span className="sr-only">
          {service} {when}
        </span>
      </Button>
    </li>
  );
}
