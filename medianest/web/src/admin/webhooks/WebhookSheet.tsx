import { Link } from "wouter";
import type { OpenedWebhook, Webhook } from "../../api/schema";
import { requestPath } from "../../app/routes";
import { say } from "../../strings/admin";
import { Button } from "../../ui/Button";
import { Ghost } from "../../ui/Empty";
import { Sheet } from "../../ui/Sheet";
import { Loaded, Trouble } from "../../ui/Trouble";
import { atClock } from "../../ui/units";
import { useReplay, useWebhook } from "./queries";

/** One webhook: what it is about, what came of it, and every word of it. */
export default function WebhookSheet({ webhook: { webhook, service }, onClose }: { readonly webhook: Webhook; readonly onClose: () => void }) {
  const asked = useWebhook(webhook);
  const replay = useReplay(webhook);
  return (
    <Sheet wide title={say.admin.webhooks.sheet(say.admin.webhooks.services[service])} onClose={onClose}>
      <Loaded asked={asked} ghost={<Ghost className="h-72" />}>
        {(opened) => (
          <div className="grid max-h-[60vh] grid-cols-1 gap-4 overflow-y-auto">
            <p className="text-sm text-quiet">
              {atClock(new Date(opened.received_at))} · {say.admin.webhooks.times(opened.times)}. {say.admin.webhooks.means[opened.outcome]}
            </p>
            <CameOfIt webhook={opened} />
            <section>
              <h3 className="mb-2 text-sm font-semibold text-quiet">{say.admin.webhooks.body}</h3>
              <pre tabIndex={0} className="overflow-x-auto rounded-lg bg-sunken p-3 text-xs">
                {JSON.stringify(opened.body, null, 2)}
              </pre>
            </section>
          </div>
        )}
      </Loaded>
      <div className="mt-4 flex flex-wrap items-center gap-3">
        <Button disabled={replay.isPending} onClick={() => replay.mutate()}>
          {say.admin.webhooks.again}
        </Button>
        {replay.data && <p role="status" className="text-sm text-quiet">{replay.data.hinted ? say.admin.webhooks.heard : say.admin.webhooks.means.nothing}</p>}
        {replay.error && <Trouble error={replay.error} />}
      </div>
    </Sheet>
  );
}

function CameOfIt({ webhook: { request, title, led_to: ledTo } }: { readonly webhook: OpenedWebhook }) {
  if (request === null) return null;
  return (
    <section className="text-sm">
      <h3 className="mb-2 font-semibold text-quiet">{say.admin.webhooks.about}</h3>
      <Link href={requestPath(request)} className="font-medium underline">
        {title}
      </Link>
      <h3 className="mt-4 mb-2 font-semibold text-quiet">{say.admin.webhooks.since}</h3>
      {ledTo.length === 0 && <p>{say.admin.webhooks.noneSince}</p>}
      <ol className="grid gap-1">
        {ledTo.map(({ position, at, words }) => (
          <li key={position}>
            <time dateTime={at} className="text-quiet tabular-nums">
              {atClock(new Date(at))}
            </time>{" "}
            {words}
          </li>
        ))}
      </ol>
    </section>
  );
}
