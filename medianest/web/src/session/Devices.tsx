import { useMutation, useQuery } from "@tanstack/react-query";
import { answered, api, oneWish } from "../api/client";
import { useRefresh } from "../api/refresh";
import { say } from "../strings/devices";
import { Ghost } from "../ui/Empty";
import { Page } from "../ui/Page";
import { Loaded } from "../ui/Trouble";
import { DeviceList } from "./DeviceList";

/** Where one is signed in oneself. */
export default function Devices() {
  const asked = useQuery({ queryKey: ["devices"], queryFn: () => answered(api.GET("/api/v1/auth/sessions")) });
  const end = useEnd();
  return (
    <Page title={say.nav.devices}>
      <div className="max-w-3xl">
        <Loaded asked={asked} ghost={<Ghost className="h-40" />}>
          {({ items }) => <DeviceList devices={items} all={say.devices.others} end={end} />}
        </Loaded>
      </div>
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
