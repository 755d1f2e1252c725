import { keepPreviousData, useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { type Thing, useAtOnce } from "../api/atOnce";
import { answered, api, oneWish } from "../api/client";
import { useRefresh } from "../api/refresh";
import type { Notice, NoticeChoice } from "../api/schema";

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
  return useAtOnce({
    act: ({ position }: Notice) => {
      const wish = { params: { path: { notice: position } }, headers: oneWish() };
      return answered(
        act === "read" ? api.POST("/api/v1/notices/{notice}/read", wish) : api.POST("/api/v1/notices/{notice}/dismiss", wish),
      );
    },
    pages: ["notices"],
    change: (thing, notice) => {
      if (isUnread(thing)) return notice.read ? thing : { ...thing, unread: Math.max(0, thing.unread - 1) };
      if (thing["position"] !== notice.position) return thing;
      return act === "read" ? { ...thing, read: true } : null;
    },
  });
}

export function useReadAll() {
  return useAtOnce({
    act: (until: number) => answered(api.POST("/api/v1/notices/read", { body: { until }, headers: oneWish() })),
    pages: ["notices"],
    change: (thing) => (isUnread(thing) ? { ...thing, unread: 0 } : thing["read"] === false ? { ...thing, read: true } : thing),
  });
}

function isUnread(thing: Thing): thing is Thing & { readonly unread: number } {
  return typeof thing["unread"] === "number";
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
