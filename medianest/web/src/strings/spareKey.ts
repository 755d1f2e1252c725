import { say as before } from "./door";

/** What is said where the owner comes in by a key. */
export const say = {
  ...before,
  spareKey: {
    title: "Spare key",
    lead: "For the owner, while Plex is down. It works once. To get one, run this on the server:",
    command: "medianest spare-key",
    key: "Key",
  },
} as const;
