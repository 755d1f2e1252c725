import { say as before } from "./door";

/** What is said where the owner comes in by a key. */
export const say = {
  ...before,
  spareKey: {
    title: "Spare key",
    lead: "For the owner, while Plex is away: on the server, `medianest spare-key` prints one. It opens once.",
    key: "The key",
  },
} as const;
