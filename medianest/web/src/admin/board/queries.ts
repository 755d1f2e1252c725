import { useQuery } from "@tanstack/react-query";
import { answered, api, oneWish } from "../../api/client";
import type { NewAnnouncement, NewMaintenance, QuickLinks } from "../../api/schema";
import { useChange } from "../queries";

export function useAllAnnouncements() {
  return useQuery({ queryKey: ["announcements", "all"], queryFn: () => answered(api.GET("/api/v1/admin/announcements")) });
}

/** Posts one, or has `announcement` say something else. */
export function useAnnounce(announcement: string | undefined) {
  return useChange(["announcements"], async (body: NewAnnouncement) => {
    const wish = { body, headers: oneWish() };
    if (announcement === undefined) await answered(api.POST("/api/v1/admin/announcements", wish));
    else await answered(api.PUT("/api/v1/admin/announcements/{announcement}", { params: { path: { announcement } }, ...wish }));
  });
}

export function useWithdraw() {
  return useChange(["announcements"], (announcement: string) =>
    answered(api.DELETE("/api/v1/admin/announcements/{announcement}", { params: { path: { announcement } }, headers: oneWish() })),
  );
}

export function useMaintenance() {
  return useQuery({ queryKey: ["maintenance"], queryFn: () => answered(api.GET("/api/v1/admin/maintenance")) });
}

export function usePlan() {
  return useChange(["maintenance", "dashboard"], (body: NewMaintenance) =>
    answered(api.POST("/api/v1/admin/maintenance", { body, headers: oneWish() })),
  );
}

export function useEnd() {
  return useChange(["maintenance", "dashboard"], (maintenance: string) =>
    answered(api.POST("/api/v1/admin/maintenance/{maintenance}/end", { params: { path: { maintenance } }, headers: oneWish() })),
  );
}

export function useArrange() {
  return useChange(["links"], (body: QuickLinks) => answered(api.PUT("/api/v1/admin/links", { body, headers: oneWish() })));
}
