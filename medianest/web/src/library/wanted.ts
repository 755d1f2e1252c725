export const ORDERS = ["added", "title", "year", "rating"] as const;
export type Order = (typeof ORDERS)[number];

/** What of a library is looked at. It stands in the address, so that going back and sharing a link show the same. */
export interface Wanted {
  readonly order: Order;
  readonly genre: string;
  readonly year: number | null;
  readonly unwatched: boolean;
  readonly collections: boolean;
}

export function wantedOf(params: URLSearchParams): Wanted {
  const year = Number(params.get("year"));
  return {
    order: ORDERS.find((order) => order === params.get("order")) ?? "added",
    genre: params.get("genre") ?? "",
    year: Number.isInteger(year) && year >= 1800 && year <= 2200 ? year : null,
    unwatched: params.get("unwatched") === "1",
    collections: params.get("show") === "collections",
  };
}

/** The address says only what is not as usual. */
export function paramsOf({ order, genre, year, unwatched, collections }: Wanted): Record<string, string> {
  return {
    ...(collections && { show: "collections" }),
    ...(order !== "added" && { order }),
    ...(genre && { genre }),
    ...(year && { year: String(year) }),
    ...(unwatched && { unwatched: "1" }),
  };
}
