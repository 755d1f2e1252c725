import { useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { answered, api } from "../../api/client";
import { useRefresh } from "../../api/refresh";
import type { Webhook } from "../../api/schema";

const LOOK_MS = 5_000; // no event tells of what was posted

export function useWebhooks(service: Webhook["service"] | null) {
  return useInfiniteQuery({
    queryKey: ["webhooks", service],
    queryFn: ({ pageParam }) =>
      answered(
        api.GET("/api/v1/admin/webhooks", {
          params: { query: { limit: 50, ...(service && { service }), ...(pageParam && { before: pageParam }) } },
        }),
      ),
    initialPageParam: 0,
    getNextPageParam: (page) => page.next,
    refetchInterval: LOOK_MS,
  });
}

export function useWebhook(webhook: number) {
  const params = { path: { webhook } };
  return useQuery({
    queryKey: ["webhooks", "one", webhook],
    queryFn: () => answered(api.GET("/api/v1/admin/webhooks/{webhook}", { params })),
    refetchInterval: LOOK_MS,
  });
}

/** Takes it as if it came just now. */
export function useReplay(webhook: number) {
  const params = { path: { webhook } };
  return useMutation({
    mutationFn: () => answered(api.POST("/api/v1/admin/webhooks/{webhook}/replay", { params })),
    onSuccess: useRefresh("webhooks"),
  });
}
