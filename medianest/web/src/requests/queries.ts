import { keepPreviousData, useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { askAgain } from "../api/again";
import { type Thing, useAtOnce } from "../api/atOnce";
import { answered, api, oneWish } from "../api/client";
import { useRefresh } from "../api/refresh";
import type { Decline, RequestView, Seasons } from "../api/schema";
import type { Shown } from "./shown";
import { STATES_OF } from "./states";

export function useRequests({ filter, everybody }: Shown, enabled: boolean) {
  return useInfiniteQuery({
    enabled,
    queryKey: ["requests", "list", filter, everybody],
    queryFn: ({ pageParam }) =>
      answered(
        api.GET("/api/v1/media/requests", {
          params: { query: { limit: 30, all: everybody, ...(filter && { state: [...STATES_OF[filter]] }), ...(pageParam && { before: pageParam }) } },
        }),
      ),
    initialPageParam: 0,
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
  });
}

const WAITING_MS = 5_000;

/** While something is tried for it that is asked again: no event says that it was in vain once more, and when it is tried next. */
export function useRequest(request: string) {
  return useQuery({
    queryKey: ["requests", request],
    queryFn: () => answered(api.GET("/api/v1/media/requests/{request_id}", { params: { path: { request_id: request } } })),
    refetchInterval: ({ state }) => askAgain(state) || (state.data?.waiting ? WAITING_MS : false),
  });
}

export function useTimeline(request: string) {
  return useQuery({
    queryKey: ["requests", request, "timeline"],
    queryFn: () =>
      answered(api.GET("/api/v1/media/requests/{request_id}/timeline", { params: { path: { request_id: request } } })),
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
