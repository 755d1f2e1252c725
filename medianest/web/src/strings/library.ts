import { say as before } from "./house";

/** What is said of what Plex has. */
export const say = {
  ...before,
  library: {
    ...before.library,
    title: "Library",
    none: "No library is shared with you yet",
    noneHint: "Ask the owner of the Plex server to share one with you.",
    gone: "There is no such library",
    goneHint: "It may no longer be shared with you.",
    filters: "Show",
    titles: "Titles",
    collections: "Collections",
    collectionsIn: (library: string) => `Collections in ${library}`,
    order: "Order",
    orders: { added: "Newest first", title: "By title", year: "By year", rating: "Top rated" },
    genre: "Genre",
    anyGenre: "All genres",
    year: "Year",
    anyYear: "All years",
    unwatched: "Unwatched",
    count: (count: number) => (count === 1 ? "1 title" : `${count} titles`),
    nothing: "Nothing matches",
    nothingHint: "Try another genre or year, or include what you’ve watched.",
    noCollections: "No collections here",
    noCollectionsHint: "Playlists sent to the server become collections.",
    inCollection: "In this collection",
    episodes: "Episodes",
    rating: (ofTen: number) => `★ ${ofTen.toFixed(1)}`,
  },
} as const;
