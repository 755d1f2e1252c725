import type { MonitorView } from "../api/schema";

export const NONE = "-"; // no monitor stands for a service, though one could be found
export const FOUND = ""; // the one that is found by its address or its name

export type Watched = MonitorView["stands_for"][number]["service"];

/** What the setting says of a service: the monitor's number or name, `NONE`, or `FOUND` where it says nothing. */
export function chosenFor(service: Watched, setting: readonly string[]): string {
  const last = setting.filter((entry) => entry.startsWith(`${service}=`)).at(-1);
  return last === undefined ? FOUND : last.slice(service.length + 1).trim();
}

/** The setting with this choice for a service. */
export function withChoice(service: Watched, choice: string, setting: readonly string[]): string[] {
  const others = setting.filter((entry) => !entry.startsWith(`${service}=`));
  return choice === FOUND ? others : [...others, `${service}=${choice}`];
}

/** How a monitor is named in the setting: by its number, where Uptime Kuma tells one. */
export function nameInSetting({ monitor, name }: Pick<MonitorView, "monitor" | "name">): string {
  return monitor > 0 ? String(monitor) : name;
}
