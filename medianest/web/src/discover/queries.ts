import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import { answered, api, oneWish } from "../api/client";
import { useRefresh } from "../api/refresh";
import type { NewRequest } from "../api/schema";

export function useSearch(q: string) {
  return useQuery({
    queryKey: ["titles", "search", q],
    queryFn: ({ signal }) => answered(api.GET("/api/v1/media/search", { params: { query: { q } }, signal })),
    enabled: q !== "",
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  });
}

/** What many people look at these days. */
export function useTrending() {
  return useQuery({
    queryKey: ["titles", "trending"],
    queryFn: () => answered(api.GET("/api/v1/media/trending")),
    staleTime: 300_000,
  });
}

export function usePlexSearch(q: string) {
  return useQuery({
    queryKey: ["plex", "search", q],
    queryFn: ({ signal }) => answered(api.GET("/api/v1/plex/search", { params: { query: { q, limit: 8 } }, signal })),
    enabled: q !== "",
    staleTime: 30_000,
  });
}

export type Kind = "movie" | "tv";

export function useTitle(kind: Kind, tmdb: number) {
  return useQuery({
    queryKey: ["titles", kind, tmdb],
    queryFn: () => answered(api.GET("/api/v1/media/{kind}/{tmdb}", { params: { path: { kind, tmdb } } })),
  });
}

/** What is left of my quotas, for films and for seasons. */
export function useQuota() {
  return useQuery({ queryKey: ["quota"], queryFn: () => answered(api.GET("/api/v1/media/quota")) });
}

/** Asks for a title. One key for each wish: a repeated one is done once. */
export function useAsk() {
  const refresh = useRefresh("requests", "dashboard", "titles", "quota");
  return useMutation({
    mutationFn: (body: NewRequest) =>
      answered(api.POST("/api/v1/media/requests", { body, headers: oneWish() })),
    onSuccess: refresh,
  });
}
