import { keepPreviousData, useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { answered, api, oneWish } from "../api/client";
import { useRefresh } from "../api/refresh";
import type { NoticeChoice } from "../api/schema";

export function useUnread() {
  return useQuery({ queryKey: ["notices", "unread"], queryFn: () => answered(api.GET("/api/v1/notices/unread")) });
}

export function useNotices() {
  return useInfiniteQuery({
    queryKey: ["notices", "list"],
    queryFn: ({ pageParam }) =>
      answered(api.GET("/api/v1/notices", { params: { query: { limit: 30, ...(pageParam && { before: pageParam }) } } })),
    initialPageParam: 0,
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
  });
}

/** What one does with one notice: read it, or put it away. */
export function useMark(act: "read" | "dismiss") {
  const refresh = useRefresh("notices");
  return useMutation({
    mutationFn: (notice: number) => {
      const wish = { params: { path: { notice } }, headers: oneWish() };
      return answered(
        act === "read" ? api.POST("/api/v1/notices/{notice}/read", wish) : api.POST("/api/v1/notices/{notice}/dismiss", wish),
      );
    },
    onSuccess: refresh,
  });
}

export function useReadAll() {
  const refresh = useRefresh("notices");
  return useMutation({
    mutationFn: (until: number) => answered(api.POST("/api/v1/notices/read", { body: { until }, headers: oneWish() })),
    onSuccess: refresh,
  });
}

export function useChoices() {
  return useQuery({ queryKey: ["notices", "choices"], queryFn: () => answered(api.GET("/api/v1/notices/choices")) });
}

export function useChoose() {
  const refresh = useRefresh("notices");
  return useMutation({
    mutationFn: (body: NoticeChoice) => answered(api.PUT("/api/v1/notices/choices", { body, headers: oneWish() })),
    onSuccess: refresh,
  });
}
