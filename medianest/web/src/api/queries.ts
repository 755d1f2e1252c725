import { keepPreviousData, useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { type Thing, useAtOnce } from "./atOnce";
import { answered, api, oneWish } from "./client";
import { useRefresh } from "./refresh";
import type { Decline, NewRequest, RequestView, Seasons } from "./schema";

/** The questions pages ask. The first word of each key says which events change the answer (live/affected.ts). */

export function useMe() {
  return useQuery({ queryKey: ["me"], queryFn: () => answered(api.GET("/api/v1/auth/session")) });
}

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

export interface Shown {
  readonly state: RequestView["state"] | null;
  readonly everybody: boolean;
}

export function useRequests({ state, everybody }: Shown) {
  return useInfiniteQuery({
    queryKey: ["requests", "list", state, everybody],
    queryFn: ({ pageParam }) =>
      answered(
        api.GET("/api/v1/media/requests", {
          params: { query: { limit: 30, all: everybody, ...(state && { state }), ...(pageParam && { before: pageParam }) } },
        }),
      ),
    initialPageParam: 0,
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
  });
}

export function useRequest(request: string) {
  return useQuery({
    queryKey: ["requests", request],
    queryFn: () => answered(api.GET("/api/v1/media/requests/{request_id}", { params: { path: { request_id: request } } })),
  });
}

export function useTimeline(request: string) {
  return useQuery({
    queryKey: ["requests", request, "timeline"],
    queryFn: () =>
      answered(api.GET("/api/v1/media/requests/{request_id}/timeline", { params: { path: { request_id: request } } })),
  });
}

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

/** Takes one's own request back; one that somebody else made is followed no longer, and stays as it is. */
export function useCancel({ request, mine }: Pick<RequestView, "request" | "mine">) {
  return useAtOnce({
    act: () =>
      answered(
        api.POST("/api/v1/media/requests/{request_id}/cancel", {
          params: { path: { request_id: request } },
          headers: oneWish(),
        }),
      ),
    pages: ["requests", "dashboard"],
    change: (thing) => (mine ? becomes(thing, [request], "cancelled") : thing),
    touches: ["titles", "quota"],
  });
}

/** Other seasons for one's own request, as long as nobody has decided about it. */
export function useChangeSeasons(request: string) {
  const refresh = useRefresh("requests", "dashboard", "titles", "quota");
  return useMutation({
    mutationFn: (body: Seasons) =>
      answered(
        api.PUT("/api/v1/media/requests/{request_id}/seasons", {
          params: { path: { request_id: request } },
          body,
          headers: oneWish(),
        }),
      ),
    onSuccess: refresh,
  });
}

/** One after the other: the first that is refused ends it, and what was decided until then is shown. */
export function useApprove() {
  return useAtOnce({
    act: async (requests: readonly string[]) => {
      for (const request of requests)
        await answered(
          api.POST("/api/v1/media/requests/{request_id}/approve", {
            params: { path: { request_id: request } },
            headers: oneWish(),
          }),
        );
    },
    pages: ["requests", "dashboard"],
    change: (thing, requests) => becomes(thing, requests, "approved"),
  });
}

export interface Declined {
  readonly requests: readonly string[];
  readonly body: Decline;
}

export function useDecline() {
  return useAtOnce({
    act: async ({ requests, body }: Declined) => {
      for (const request of requests)
        await answered(
          api.POST("/api/v1/media/requests/{request_id}/decline", {
            params: { path: { request_id: request } },
            body,
            headers: oneWish(),
          }),
        );
    },
    pages: ["requests", "dashboard"],
    change: (thing, { requests }) => becomes(thing, requests, "declined"),
  });
}

function becomes(thing: Thing, requests: readonly string[], state: RequestView["state"]): Thing {
  const isOne = typeof thing["request"] === "string" && "changed_at" in thing && requests.includes(thing["request"]);
  return isOne ? { ...thing, state, why: null, waiting: null } : thing;
}

export function useRetry(request: string) {
  const refresh = useRefresh("requests", "dashboard");
  return useMutation({
    mutationFn: () =>
      answered(
        api.POST("/api/v1/media/requests/{request_id}/retry", {
          params: { path: { request_id: request } },
          headers: oneWish(),
        }),
      ),
    onSuccess: refresh,
  });
}
