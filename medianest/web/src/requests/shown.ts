import { routes } from "../app/routes";
import { FILTERS, type Filter } from "./states";

/** What of the requests is looked at. It stands in the address, so that going back and loading anew show the same. */
export interface Shown {
  readonly filter: Filter | null; // null: all
  readonly everybody: boolean;
}

export function shownOf(params: URLSearchParams): Shown {
  const filter = FILTERS.find((one) => one === params.get("show")) ?? null;
  return { filter, everybody: params.get("whose") === "everybody" };
}

/** The address says only what is not as usual. */
export function paramsOf({ filter, everybody }: Shown): Record<string, string> {
  return { ...(everybody && { whose: "everybody" }), ...(filter && { show: filter }) };
}

export function pathOf(shown: Shown): string {
  return `${routes.requests}?${new URLSearchParams(paramsOf(shown))}`;
}
