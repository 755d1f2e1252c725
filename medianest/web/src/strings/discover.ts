import { say as before } from "./house";

/** What is said where one looks for something, and of a title one may ask for. */
export const say = {
  ...before,
  discover: {
    title: "Discover",
    label: "Search films, series, your library and your videos",
    placeholder: "Search films, series, your videos",
    trending: "Popular right now",
    none: (query: string) => `Nothing found for “${query}”`,
    noneHint: "Try another spelling, or the original title.",
    results: "Films and series",
    inPlex: "In your Plex library",
    myVideos: "Among your videos",
    count: (count: number) => (count === 1 ? "1 title found" : `${count} titles found`),
    ask: "Ask for it",
    askIn4k: "Ask for it in 4K",
    in4k: "In 4K",
    askSeasons: (count: number, is4k: boolean) =>
      count === 0 ? "Choose seasons" : `Ask for ${count === 1 ? "1 season" : `${count} seasons`}${is4k ? " in 4K" : ""}`,
    asked: "Asked for. You can follow it from here.",
    joined: "Somebody already asked for it. You’re following it now.",
    follow: "Follow",
    others: "Somebody already asked for it. Follow it to see where it is, and to hear when it’s in Plex.",
    allSeasons: "All seasons",
    there: "It’s in Plex. Enjoy!",
    toLibrary: "Open in library",
    left: (kind: "movie" | "tv", left: number, limit: number, days: number | null) =>
      `${left} of ${limit} ${kind === "movie" ? "films" : "seasons"} left${days === null ? "" : days === 1 ? " for today" : ` in ${days} days`}.`,
    leftInSeerr: (left: string) => `In Seerr: ${left}`,
  },
  availability: {
    available: "Available",
    partially_available: "Partly there",
    processing: "On its way",
    pending: "Asked for",
    blocklisted: "Blocked here",
  } as Readonly<Record<string, string>>,
} as const;
