import { useQuery } from "@tanstack/react-query";
import { answered, api } from "../../api/client";

const LIMIT = 50;
const FOR_EVER = Number.POSITIVE_INFINITY; // what was, stays so

export function useRequestsThen(asOf: string) {
  return useQuery({
    queryKey: ["then", "requests", asOf],
    queryFn: () => answered(api.GET("/api/v1/admin/requests", { params: { query: { as_of: asOf, limit: LIMIT } } })),
    staleTime: FOR_EVER,
  });
}

export function useVideosThen(asOf: string) {
  return useQuery({
    queryKey: ["then", "downloads", asOf],
    queryFn: () => answered(api.GET("/api/v1/admin/downloads", { params: { query: { as_of: asOf, limit: LIMIT } } })),
    staleTime: FOR_EVER,
  });
}

export function usePeopleThen(asOf: string) {
  return useQuery({
    queryKey: ["then", "accounts", asOf],
    queryFn: () => answered(api.GET("/api/v1/admin/accounts", { params: { query: { as_of: asOf, limit: 100 } } })),
    staleTime: FOR_EVER,
  });
}

/** What somebody had open then, and what was up. */
export function useHomeThen(asOf: string, account: string) {
  return useQuery({
    queryKey: ["then", "dashboard", asOf, account],
    queryFn: () => answered(api.GET("/api/v1/admin/dashboard", { params: { query: { as_of: asOf, ...(account && { account }) } } })),
    staleTime: FOR_EVER,
  });
}
