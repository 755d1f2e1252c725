import { useMutation, useQuery } from "@tanstack/react-query";
import { answered, api, oneWish } from "../../api/client";
import { useRefresh } from "../../api/refresh";
import type { NewAnnouncement, NewMaintenance, QuickLinks } from "../../api/schema";

export function useAllAnnouncements() {
  return useQuery({ queryKey: ["announcements", "all"], queryFn: () => answered(api.GET("/api/v1/admin/announcements")) });
}

/** Posts one, or has `announcement` say something else. */
export function useAnnounce(announcement: string | undefined) {
  return useMutation({
    mutationFn: async (body: NewAnnouncement) => {
      const wish = { body, headers: oneWish() };
      if (announcement === undefined) await answered(api.POST("/api/v1/admin/announcements", wish));
      else await answered(api.PUT("/api/v1/admin/announcements/{announcement}", { params: { path: { announcement } }, ...wish }));
    },
    onSuccess: useRefresh("announcements"),
  });
}

export function useWithdraw() {
  return useMutation({
    mutationFn: (announcement: string) =>
      answered(api.DELETE("/api/v1/admin/announcements/{announcement}", { params: { path: { announcement } }, headers: oneWish() })),
    onSuccess: useRefresh("announcements"),
  });
}

export function useMaintenance() {
  return useQuery({ queryKey: ["maintenance"], queryFn: () => answered(api.GET("/api/v1/admin/maintenance")) });
}

export function usePlan() {
  return useMutation({
    mutationFn: (body: NewMaintenance) => answered(api.POST("/api/v1/admin/maintenance", { body, headers: oneWish() })),
    onSuccess: useRefresh("maintenance", "dashboard"),
  });
}

export function useEnd() {
  return useMutation({
    mutationFn: (maintenance: string) =>
      answered(api.POST("/api/v1/admin/maintenance/{maintenance}/end", { params: { path: { maintenance } }, headers: oneWish() })),
    onSuccess: useRefresh("maintenance", "dashboard"),
  });
}

export function useLinks() {
  return useQuery({ queryKey: ["links"], queryFn: () => answered(api.GET("/api/v1/links")) });
}

export function useArrange() {
  return useMutation({
    mutationFn: (body: QuickLinks) => answered(api.PUT("/api/v1/admin/links", { body, headers: oneWish() })),
    onSuccess: useRefresh("links"),
  });
}
