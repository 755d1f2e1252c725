import { say as before } from "./house";

/** What is said of what Plex has. */
export const say = {
  ...before,
  library: {
    ...before.library,
    title: "Library",
    none: "No library is shared with you.",
    noneHint: "Ask the owner of the Plex server to share one.",
    gone: "There is no such library",
    goneHint: "It may be shared with you no longer.",
    filters: "Show",
    titles: "Titles",
    collections: "Collections",
    collectionsIn: (library: string) => `Collections in ${library}`,
    order: "Order",
    orders: { added: "Newest first", title: "By title", year: "By year", rating: "Best first" },
    genre: "Genre",
    anyGenre: "All genres",
    year: "Year",
    anyYear: "All years",
    unwatched: "Not seen yet",
    count: (count: number) => (count === 1 ? "1 title" : `${count} titles`),
    nothing: "Nothing here.",
    nothingHint: "Choose another genre or year, or show what you have seen too.",
    noCollections: "There are no collections here.",
    noCollectionsHint: "Playlists that are sent to the server become collections.",
    inCollection: "In this collection",
    episodes: "Episodes",
    rating: (ofTen: number) => `★ ${ofTen.toFixed(1)}`,
  },
} as const;
