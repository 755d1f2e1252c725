import { useQuery } from "@tanstack/react-query";
import { answered, api } from "../api/client";

export function useDashboard() {
  return useQuery({ queryKey: ["dashboard"], queryFn: () => answered(api.GET("/api/v1/dashboard")) });
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
