import { useQuery } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import { STATES_OF } from "../requests/states";
import { useMe } from "../session/useMe";

export function useDashboard() {
  return useQuery({ queryKey: ["dashboard"], queryFn: () => answered(api.GET("/api/v1/dashboard")) });
}

const MOST_TO_DECIDE = 4; // the rest is a page away

/** The newest requests that wait for a moderator; for those alone. */
export function useToDecide() {
  const mayModerate = useMe().data?.permissions.includes("requests.moderate") ?? false;
  return useQuery({
    queryKey: ["requests", "to-decide"],
    queryFn: () =>
      answered(api.GET("/api/v1/media/requests", { params: { query: { all: true, state: [...STATES_OF.approval], limit: MOST_TO_DECIDE } } })),
    enabled: mayModerate,
  });
}

/** How much of the last day, week and month each service could be used. */
export function useUptime() {
  return useQuery({
    queryKey: ["uptime"],
    queryFn: () => answered(api.GET("/api/v1/dashboard/uptime")),
    staleTime: 300_000,
  });
}

export function useNewInPlex() {
  return useQuery({
    queryKey: ["plex", "new"],
    queryFn: () => answered(api.GET("/api/v1/plex/recently-added", { params: { query: { limit: 18 } } })),
    staleTime: 60_000,
  });
}
