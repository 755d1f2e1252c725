/** Which pages an event changes, by the first word of their query keys. */
const TOUCHED: Readonly<Record<string, readonly string[]>> = {
  request: ["requests", "dashboard", "titles", "quota"],
  download: ["downloads", "dashboard"],
  service: ["dashboard", "uptime", "plex", "titles", "maintenance"], // what it could not say, it may say now
  monitor: ["dashboard", "monitors"],
  monitors: ["dashboard", "monitors"],
  account: ["me", "notices", "accounts"],
  quota: ["quota", "notices"],
  session: ["notices", "devices"],
  notices: ["notices"],
  announcement: ["announcements"],
  links: ["links"],
  breaker: ["breakers"],
  settings: ["settings"],
};
/** What is said live and kept nowhere: it changes no page. */
export const SIGNALS: ReadonlySet<string> = new Set(["request.progress", "download.progress", "service.latency"]);

export function touchedBy(event: string): readonly string[] {
  if (SIGNALS.has(event) || !event.includes(".")) return [];
  return [...(TOUCHED[event.split(".")[0] ?? ""] ?? []), "audit"]; // everything is on record
}
