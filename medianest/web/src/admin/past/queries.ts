import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { answered, api } from "../../api/client";

const LIMIT = 50;
const STALE_MS = 60_000; // what was stays so, but for people's names: they change, and are erased

export function useRequestsThen(asOf: string) {
  return useInfiniteQuery({
    queryKey: ["then", "requests", asOf],
    queryFn: ({ pageParam }) =>
      answered(
        api.GET("/api/v1/admin/requests", { params: { query: { as_of: asOf, limit: LIMIT, ...(pageParam && { before: pageParam }) } } }),
      ),
    initialPageParam: 0,
    getNextPageParam: (page) => page.next,
    staleTime: STALE_MS,
  });
}

export function useVideosThen(asOf: string) {
  return useInfiniteQuery({
    queryKey: ["then", "downloads", asOf],
    queryFn: ({ pageParam }) =>
      answered(
        api.GET("/api/v1/admin/downloads", { params: { query: { as_of: asOf, limit: LIMIT, ...(pageParam && { before: pageParam }) } } }),
      ),
    initialPageParam: 0,
    getNextPageParam: (page) => page.next,
    staleTime: STALE_MS,
  });
}

export function usePeopleThen(asOf: string) {
  return useInfiniteQuery({
    queryKey: ["then", "accounts", asOf],
    queryFn: ({ pageParam }) =>
      answered(api.GET("/api/v1/admin/accounts", { params: { query: { as_of: asOf, after: pageParam, limit: LIMIT } } })),
    initialPageParam: 0,
    getNextPageParam: (page) => page.next,
    staleTime: STALE_MS,
  });
}

/** What somebody had open then, and what was up. */
export function useHomeThen(asOf: string, account: string) {
  return useQuery({
    queryKey: ["then", "dashboard", asOf, account],
    queryFn: () => answered(api.GET("/api/v1/admin/dashboard", { params: { query: { as_of: asOf, ...(account && { account }) } } })),
    staleTime: STALE_MS,
  });
}

/** The last event there is so far; undefined: not known yet. */
export function useNewest() {
  return useQuery({
    queryKey: ["audit", "newest"],
    queryFn: () => answered(api.GET("/api/v1/admin/audit", { params: { query: { limit: 1 } } })),
    select: ({ items }) => items[0]?.position ?? 0,
  }).data;
}
