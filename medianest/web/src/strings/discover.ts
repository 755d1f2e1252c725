import { say as before } from "./house";

/** What is said where one looks for something, and of a title one may ask for. */
export const say = {
  ...before,
  discover: {
    title: "Discover",
    label: "Search films, series, your library and your videos",
    placeholder: "Films, series, your videos",
    start: "What would you like to watch?",
    startHint: "Titles you can ask for, what is in Plex already, and your own videos, in one search.",
    none: (query: string) => `Nothing found for “${query}”.`,
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
    asked: "Asked for. You can follow it.",
    joined: "Somebody asked for it before: you follow it now.",
    follow: "Follow it",
    allSeasons: "All seasons",
    there: "It is in Plex: enjoy.",
    toLibrary: "See it in the library",
    left: (kind: "movie" | "tv", left: number, limit: number, days: number) =>
      `${left} of ${limit} ${kind === "movie" ? "films" : "seasons"} left in ${days === 1 ? "a day" : `${days} days`}.`,
  },
  availability: {
    available: "Available",
    partially_available: "Partly there",
    processing: "On its way",
    pending: "Asked for",
    blocklisted: "Not wanted here",
  } as Readonly<Record<string, string>>,
} as const;
