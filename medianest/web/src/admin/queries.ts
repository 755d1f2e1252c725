import { useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { answered, api, oneWish } from "../api/client";
import { useRefresh } from "../api/refresh";
import type { Account, Attempt, CircuitView, NewQuota, NewRole, Suspension, Try, Wanted } from "../api/schema";
import { byTheClock } from "./past/place";

const LOOK_MS = 5_000; // how often what no event tells of is looked at again

export function usePeople() {
  return useInfiniteQuery({
    queryKey: ["accounts"],
    queryFn: ({ pageParam }) =>
      answered(api.GET("/api/v1/admin/accounts", { params: { query: { after: pageParam, limit: 100 } } })),
    initialPageParam: 0,
    getNextPageParam: (page) => page.next,
  });
}

type PersonAct = "reinstate" | "erase";

export function useActOn({ account }: Account) {
  const path = { params: { path: { account } }, headers: oneWish() };
  return useChange(["accounts"], (act: PersonAct) =>
    act === "reinstate"
      ? answered(api.POST("/api/v1/admin/accounts/{account}/reinstate", path))
      : answered(api.DELETE("/api/v1/admin/accounts/{account}", path)),
  );
}

export function useSuspend({ account }: Account) {
  return useChange(["accounts"], (body: Suspension) =>
    answered(
      api.POST("/api/v1/admin/accounts/{account}/suspend", { params: { path: { account } }, headers: oneWish(), body }),
    ),
  );
}

export function useQuotaOf({ account }: Account) {
  return useQuery({
    queryKey: ["accounts", account, "quota"],
    queryFn: () => answered(api.GET("/api/v1/admin/accounts/{account}/quota", { params: { path: { account } } })),
  });
}

export function useSetQuotaOf({ account }: Account) {
  return useChange(["accounts"], (body: NewQuota) =>
    answered(
      api.PUT("/api/v1/admin/accounts/{account}/quota", { params: { path: { account } }, headers: oneWish(), body }),
    ),
  );
}

/** From here on somebody may ask for as much as everybody else. */
export function useTakeQuotaBack({ account }: Account) {
  return useChange(["accounts"], (kind: NewQuota["kind"]) =>
    answered(
      api.DELETE("/api/v1/admin/accounts/{account}/quota/{kind}", { params: { path: { account, kind } }, headers: oneWish() }),
    ),
  );
}

/** How much everybody may ask for who has no quota of their own. */
export function useQuotaOfAll() {
  return useQuery({
    queryKey: ["accounts", "quota"],
    queryFn: () => answered(api.GET("/api/v1/admin/settings/default-quota")),
  });
}

export function useSetQuotaOfAll() {
  return useChange(["accounts", "quota"], (body: NewQuota) =>
    answered(api.PUT("/api/v1/admin/settings/default-quota", { headers: oneWish(), body })),
  );
}

export function useDevicesOf({ account }: Account) {
  return useQuery({
    queryKey: ["accounts", account, "devices"],
    queryFn: () => answered(api.GET("/api/v1/admin/accounts/{account}/sessions", { params: { path: { account } } })),
  });
}

/** Signs one of somebody's devices out; null: all of them. */
export function useEndOf({ account }: Account) {
  return useChange(["accounts"], (session: string | null) =>
    session === null
      ? answered(api.DELETE("/api/v1/admin/accounts/{account}/sessions", { params: { path: { account } }, headers: oneWish() }))
      : answered(
          api.DELETE("/api/v1/admin/accounts/{account}/sessions/{session}", {
            params: { path: { account, session } },
            headers: oneWish(),
          }),
        ),
  );
}

export function useRole({ account }: Account) {
  return useChange(["accounts"], (role: NewRole["role"]) =>
    answered(
      api.POST("/api/v1/admin/accounts/{account}/role", {
        params: { path: { account } },
        headers: oneWish(),
        body: { role },
      }),
    ),
  );
}

export function useImport() {
  return useChange(["accounts"], () => answered(api.POST("/api/v1/admin/accounts/import", { headers: oneWish() })));
}

export function useStuck() {
  return useQuery({ queryKey: ["todo"], queryFn: () => answered(api.GET("/api/v1/admin/todo")), refetchInterval: LOOK_MS });
}

export function useStuckAct({ list, key }: Attempt) {
  const body = { body: { list, key }, headers: oneWish() };
  return useChange(["todo"], (act: "retry" | "give-up") =>
    act === "retry"
      ? answered(api.POST("/api/v1/admin/todo/retry", body))
      : answered(api.POST("/api/v1/admin/todo/give-up", body)),
  );
}

export function useCircuits() {
  return useQuery({
    queryKey: ["breakers"],
    queryFn: () => answered(api.GET("/api/v1/admin/breakers")),
    refetchInterval: LOOK_MS,
  });
}

export function useReset({ service }: CircuitView) {
  return useChange(["breakers"], () =>
    answered(api.POST("/api/v1/admin/breakers/{service}/reset", { params: { path: { service } }, headers: oneWish() })),
  );
}

export function useReadModels() {
  return useQuery({
    queryKey: ["projections"],
    queryFn: () => answered(api.GET("/api/v1/admin/projections")),
    refetchInterval: LOOK_MS,
  });
}

export function useRebuild(name: string) {
  return useChange(["projections"], () =>
    answered(api.POST("/api/v1/admin/projections/{name}/rebuild", { params: { path: { name } }, headers: oneWish() })),
  );
}

export interface Search {
  readonly person: string;
  readonly tag: string;
  readonly type: string;
  readonly since: string;
  readonly until: string;
}

export function useAudit({ person, tag, type, since, until }: Search) {
  const [from, to] = [byTheClock(since), byTheClock(until)];
  const asked = { ...(person && { person }), ...(tag && { tag }), ...(type && { type }), ...(from && { since: from }), ...(to && { until: to }) };
  return useInfiniteQuery({
    queryKey: ["audit", asked],
    queryFn: ({ pageParam }) =>
      answered(api.GET("/api/v1/admin/audit", { params: { query: { ...asked, limit: 50, ...(pageParam && { before: pageParam }) } } })),
    initialPageParam: 0,
    getNextPageParam: (page) => page.next,
  });
}

export function useSections() {
  return useQuery({ queryKey: ["settings"], queryFn: () => answered(api.GET("/api/v1/admin/settings")) });
}

export function useTry(section: string) {
  return useMutation({
    mutationFn: (body: Try) =>
      answered(api.POST("/api/v1/admin/settings/{section}/test", { params: { path: { section } }, body })),
  });
}

export function useKeep(section: string) {
  return useChange(["settings"], (body: Wanted) =>
    answered(
      api.PUT("/api/v1/admin/settings/{section}", { params: { path: { section } }, headers: oneWish(), body }),
    ),
  );
}

export function useRevisions(section: string) {
  return useQuery({
    queryKey: ["settings", section, "history"],
    queryFn: () => answered(api.GET("/api/v1/admin/settings/{section}/history", { params: { path: { section } } })),
  });
}

export function useRollBack(section: string) {
  return useChange(["settings"], (revision: number) =>
    answered(
      api.POST("/api/v1/admin/settings/{section}/roll-back", {
        params: { path: { section } },
        headers: oneWish(),
        body: { revision },
      }),
    ),
  );
}

export function useFollowing() {
  return useQuery({ queryKey: ["seerr"], queryFn: () => answered(api.GET("/api/v1/admin/seerr")), refetchInterval: LOOK_MS });
}

export function useFollowAgain() {
  return useChange(["seerr"], () => answered(api.POST("/api/v1/admin/seerr/again")));
}

export function useDrift() {
  return useQuery({ queryKey: ["drift"], queryFn: () => answered(api.GET("/api/v1/admin/seerr/drift")), refetchInterval: LOOK_MS });
}

export function useOrderDrift() {
  return useChange(["drift"], (order: "look" | "heal") =>
    order === "look" ? answered(api.POST("/api/v1/admin/seerr/drift/look")) : answered(api.POST("/api/v1/admin/seerr/drift/heal")),
  );
}

export function useMonitors() {
  return useQuery({ queryKey: ["monitors"], queryFn: () => answered(api.GET("/api/v1/admin/monitors")), refetchInterval: LOOK_MS });
}

/** A write, and the answers it makes old. */
export function useChange<Given, Answer>(keys: readonly string[], write: (given: Given) => Promise<Answer>) {
  return useMutation({ mutationFn: write, onSuccess: useRefresh(...keys) });
}
