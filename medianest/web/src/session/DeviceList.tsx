import type { Device } from "../api/schema";
import { say } from "../strings/devices";
import { Badge } from "../ui/Badge";
import { Button } from "../ui/Button";
import { ROW, Rows } from "../ui/Rows";
import { Trouble } from "../ui/Trouble";
import { useFromNow } from "../ui/useFromNow";

interface DevicesProps {
  readonly devices: readonly Device[];
  readonly all: string; // the words for ending it on all that are shown
  readonly end: { readonly mutate: (session: string | null) => void; readonly isPending: boolean; readonly error: unknown }; // null: on all
}

/** Where somebody is signed in, and the way to end it there. */
export function DeviceList({ devices, all, end }: DevicesProps) {
  const fromNow = useFromNow();
  return (
    <>
      {end.error ? <Trouble error={end.error} /> : null}
      <Rows>
        {devices.map(({ session, device, started_at: startedAt, current }) => (
          <li key={session} className={ROW}>
            <div className="min-w-0 grow">
              <p className="font-medium">{device || say.devices.unnamed}</p>
              <p className="text-xs text-quiet">{say.devices.since(fromNow(new Date(startedAt)))}</p>
            </div>
            {current ? (
              <Badge tone="good">{say.devices.here}</Badge>
            ) : (
              <Button disabled={end.isPending} onClick={() => end.mutate(session)}>
                {say.you.signOut}
              </Button>
            )}
          </li>
        ))}
      </Rows>
      {devices.length > 1 && (
        <Button weight="danger" className="mt-5" disabled={end.isPending} onClick={() => end.mutate(null)}>
          {all}
        </Button>
      )}
    </>
  );
}
