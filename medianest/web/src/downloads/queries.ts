import { keepPreviousData, useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { useAtOnce } from "../api/atOnce";
import { answered, api, oneWish } from "../api/client";
import { useRefresh } from "../api/refresh";
import type { NewDownload } from "../api/schema";

export function useDownloads(everybody: boolean, enabled: boolean) {
  return useInfiniteQuery({
    enabled,
    queryKey: ["downloads", "list", everybody],
    queryFn: ({ pageParam }) =>
      answered(api.GET("/api/v1/youtube/downloads", { params: { query: { limit: 30, all: everybody, ...(pageParam && { before: pageParam }) } } })),
    initialPageParam: 0,
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
  });
}

/** Those I sent whose titles have these words. */
export function useDownloadSearch(q: string) {
  return useQuery({
    queryKey: ["downloads", "search", q],
    queryFn: ({ signal }) => answered(api.GET("/api/v1/youtube/downloads", { params: { query: { q, limit: 8 } }, signal })),
    enabled: q !== "",
  });
}

export function usePresets() {
  return useQuery({
    queryKey: ["presets"],
    queryFn: () => answered(api.GET("/api/v1/youtube/presets")),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** What stands behind an address. Nothing is fetched. */
export function usePreview() {
  return useMutation({ mutationFn: (url: string) => answered(api.POST("/api/v1/youtube/preview", { body: { url } })) });
}

export function useSend() {
  const refresh = useRefresh("downloads", "dashboard");
  return useMutation({
    mutationFn: (body: NewDownload) => answered(api.POST("/api/v1/youtube/downloads", { body, headers: oneWish() })),
    onSuccess: refresh,
  });
}

const RENEW_EARLY_MS = 45_000;
const SHORTEST_MS = 5_000;

/** Where this browser may play or save the file from; renewed in time for as long as somebody watches. */
export function useWatch(download: string) {
  return useQuery({
    queryKey: ["watch", download],
    queryFn: () => answered(api.POST("/api/v1/youtube/downloads/{download}/watch", { params: { path: { download } } })),
    refetchInterval: ({ state: { data } }) =>
      data ? Math.max(SHORTEST_MS, Date.parse(data.expires_at) - Date.now() - RENEW_EARLY_MS) : false,
    refetchIntervalInBackground: true,
    gcTime: 0, // the leave it stands for runs out
  });
}

export function useAct(download: string) {
  const about = () => ({ params: { path: { download } }, headers: oneWish() });
  return useAtOnce({
    act: (act: "cancel" | "retry" | "again") =>
      act === "cancel"
        ? answered(api.POST("/api/v1/youtube/downloads/{download}/cancel", about()))
        : answered(api.POST("/api/v1/youtube/downloads/{download}/retry", about())),
    pages: ["downloads", "dashboard"],
    change: (thing, act) => (thing["download"] === download ? { ...thing, state: act === "cancel" ? "cancelled" : "queued", why: null, waiting: null } : thing),
  });
}

/** Keeps it for however long others are kept, or no longer. */
export function usePin(download: string) {
  return useAtOnce({
    act: (pinned: boolean) =>
      answered(api.PUT("/api/v1/youtube/downloads/{download}/pin", { params: { path: { download } }, headers: oneWish(), body: { pinned } })),
    pages: ["downloads", "dashboard"],
    change: (thing, pinned) => (thing["download"] === download ? { ...thing, pinned } : thing),
  });
}

/** Takes the file off the server. */
export function useRemove(download: string) {
  const refresh = useRefresh("downloads", "dashboard");
  return useMutation({
    mutationFn: () =>
      answered(api.DELETE("/api/v1/youtube/downloads/{download}", { params: { path: { download } }, headers: oneWish() })),
    onSuccess: refresh,
  });
}
