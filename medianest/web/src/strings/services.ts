import type { IncidentView } from "../api/schema";
import { say as before } from "./house";

/** What is said of how the services are and have been. */
export const say = {
  ...before,
  services: {
    title: "Services",
    now: "Now and the last 30 days",
    incidents: "Incidents",
    none: "No incidents yet",
    noneHint: "When a service is down or slow, you’ll see here from when to when, and what it held up.",
    what: (service: string, state: IncidentView["state"]) => `${service}: ${before.serviceState[state].toLowerCase()}`,
    span: (began: string, ended: string) => `From ${began} to ${ended}`,
    goesOn: (began: string) => `Since ${began}`,
    lasted: (length: string) => `for ${length}`,
    over: "Over",
    notOver: "Ongoing",
    requestsHeld: (count: number) => (count === 1 ? "One request waited." : `${count} requests waited.`),
    downloadsHeld: (count: number) => (count === 1 ? "One video waited to come into Plex." : `${count} videos waited to come into Plex.`),
    nothingHeld: "Nothing was held up.",
  },
} as const;
