import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import type { Wanted } from "./wanted";

const PAGE = 60;
const FRESH_MS = 60_000;

/** The libraries that are shared with one, without those of sound and of photos. */
export function useLibraries() {
  return useQuery({
    queryKey: ["plex", "libraries"],
    queryFn: () => answered(api.GET("/api/v1/plex/libraries")),
    select: ({ items, as_of }) => ({ as_of, items: items.filter(({ type }) => type === "movie" || type === "show") }),
    staleTime: 5 * FRESH_MS,
  });
}

export function useItems(library: string, wanted: Wanted) {
  const { order, genre, year, unwatched } = wanted;
  const filters = { order, unwatched, ...(genre && { genre }), ...(year && { year }) };
  return useInfiniteQuery({
    queryKey: ["plex", "items", library, filters],
    queryFn: ({ pageParam, signal }) =>
      answered(
        api.GET("/api/v1/plex/libraries/{library}/items", {
          params: { path: { library }, query: { start: pageParam, limit: PAGE, ...filters } },
          signal,
        }),
      ),
    initialPageParam: 0,
    getNextPageParam: ({ start, items, total }) =>
      items.length > 0 && start + items.length < total ? start + items.length : null,
    placeholderData: keepPreviousData,
    staleTime: FRESH_MS,
  });
}

export function useGenres(library: string) {
  return useQuery({
    queryKey: ["plex", "genres", library],
    queryFn: () => answered(api.GET("/api/v1/plex/libraries/{library}/genres", { params: { path: { library } } })),
    staleTime: 5 * FRESH_MS,
  });
}

export function useYears(library: string) {
  return useQuery({
    queryKey: ["plex", "years", library],
    queryFn: () => answered(api.GET("/api/v1/plex/libraries/{library}/years", { params: { path: { library } } })),
    staleTime: 5 * FRESH_MS,
  });
}

export function useCollections(library: string) {
  return useQuery({
    queryKey: ["plex", "collections", library],
    queryFn: () => answered(api.GET("/api/v1/plex/libraries/{library}/collections", { params: { path: { library } } })),
    staleTime: FRESH_MS,
  });
}

export function useItem(ratingKey: string) {
  return useQuery({
    queryKey: ["plex", "item", ratingKey],
    queryFn: () => answered(api.GET("/api/v1/plex/items/{rating_key}", { params: { path: { rating_key: ratingKey } } })),
    staleTime: FRESH_MS,
  });
}
