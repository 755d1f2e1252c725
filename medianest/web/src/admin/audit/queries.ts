import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { answered, api } from "../../api/client";
import { marksOf, type Span, SPANS } from "./span";

const LOOK_MS = 60_000; // each event changes it, and hardly

/** What one event changed. It will never be otherwise. */
export function useChanges(position: number) {
  return useQuery({
    queryKey: ["changes", position],
    queryFn: () => answered(api.GET("/api/v1/admin/audit/{position}/changes", { params: { path: { position } } })),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** How many events there were in each step of a span, the last one so far. */
export function usePace(span: Span) {
  return useQuery({
    queryKey: ["pace", span],
    refetchInterval: LOOK_MS,
    placeholderData: keepPreviousData,
    queryFn: async () => {
      const marks = marksOf(span).map((mark) => mark.toISOString());
      const { items } = await answered(api.GET("/api/v1/admin/audit/pace", { params: { query: { marks } } }));
      return { items, unit: SPANS[span].unit }; // with its unit: it is shown until the next one is there
    },
  });
}

/** How many requests stand as what. */
export function useStates() {
  return useQuery({ queryKey: ["requests", "states"], queryFn: () => answered(api.GET("/api/v1/admin/requests/states")) });
}
