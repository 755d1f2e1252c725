import { useQuery } from "@tanstack/react-query";
import { answered, api } from "../../api/client";

const DAYS = 30;
const LOOK_MS = 60_000; // each event changes it, and hardly

/** What one event changed. It will never be otherwise. */
export function useChanges(position: number) {
  return useQuery({
    queryKey: ["changes", position],
    queryFn: () => answered(api.GET("/api/v1/admin/audit/{position}/changes", { params: { path: { position } } })),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** How many events there were on each of the last days, today's so far. */
export function usePace() {
  return useQuery({
    queryKey: ["pace"],
    refetchInterval: LOOK_MS,
    queryFn: () => {
      const since = new Date();
      since.setHours(0, 0, 0, 0);
      since.setDate(since.getDate() - DAYS + 1);
      return answered(api.GET("/api/v1/admin/audit/pace", { params: { query: { since: since.toISOString(), step: "day", steps: DAYS } } }));
    },
  });
}

/** How many requests stand as what. */
export function useStates() {
  return useQuery({ queryKey: ["requests", "states"], queryFn: () => answered(api.GET("/api/v1/admin/requests/states")) });
}
