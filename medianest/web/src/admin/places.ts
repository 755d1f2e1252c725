import type { WhoAmI } from "../api/schema";
import { say } from "../strings/admin";

type Permission = WhoAmI["permissions"][number];

export interface Place {
  readonly path: string;
  readonly name: string;
  readonly needs: Permission;
}

export const PLACES: readonly Place[] = [
  { path: "/admin/people", name: say.admin.people.title, needs: "accounts.view" },
  { path: "/admin/board", name: say.admin.board.title, needs: "settings.manage" },
  { path: "/admin/audit", name: say.admin.audit.title, needs: "audit.view" },
  { path: "/admin/past", name: say.admin.past.title, needs: "audit.view" },
  { path: "/admin/system", name: say.admin.system.title, needs: "services.manage" },
  { path: "/admin/seerr", name: say.admin.seerr.title, needs: "services.manage" },
  { path: "/admin/monitoring", name: say.admin.monitoring.title, needs: "services.manage" },
  { path: "/admin/webhooks", name: say.admin.webhooks.title, needs: "services.manage" },
  { path: "/admin/settings", name: say.admin.settings.title, needs: "settings.manage" },
];

/** The admin pages that somebody may see. */
export function placesOf(me: WhoAmI | undefined): readonly Place[] {
  return PLACES.filter(({ needs }) => me?.permissions.includes(needs));
}
