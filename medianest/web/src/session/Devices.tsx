import { useMutation, useQuery } from "@tanstack/react-query";
import { answered, api, oneWish } from "../api/client";
import { useRefresh } from "../api/refresh";
import { say } from "../strings";
import { Badge } from "../ui/Badge";
import { Button } from "../ui/Button";
import { Ghost } from "../ui/Empty";
import { Page } from "../ui/Page";
import { Loaded, Trouble } from "../ui/Trouble";
import { fromNow } from "../ui/units";

/** Where one is signed in, and the way to end it there. */
export default function Devices() {
  const asked = useQuery({ queryKey: ["devices"], queryFn: () => answered(api.GET("/api/v1/auth/sessions")) });
  const end = useEnd();
  return (
    <Page title={say.devices.title}>
      {end.error && <Trouble error={end.error} />}
      <Loaded asked={asked} ghost={<Ghost className="h-40" />}>
        {({ items }) => (
          <>
            <ul className="grid max-w-3xl gap-2.5">
              {items.map(({ session, device, started_at: startedAt, current }) => (
                <li key={session} className="flex flex-wrap items-center gap-x-4 gap-y-2 rounded-xl bg-raised p-4">
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
            </ul>
            {items.length > 1 && (
              <Button weight="danger" className="mt-5" disabled={end.isPending} onClick={() => end.mutate(null)}>
                {say.devices.others}
              </Button>
            )}
          </>
        )}
      </Loaded>
    </Page>
  );
}

/** Ends a session of one's own; null: all but this one. */
function useEnd() {
  return useMutation({
    mutationFn: (session: string | null) =>
      session === null
        ? answered(api.DELETE("/api/v1/auth/sessions", { headers: oneWish() }))
        : answered(api.DELETE("/api/v1/auth/sessions/{session}", { params: { path: { session } }, headers: oneWish() })),
    onSuccess: useRefresh("devices"),
  });
}
