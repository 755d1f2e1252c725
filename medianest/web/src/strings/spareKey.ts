import { say as before } from "./door";

/** What is said where the owner comes in by a key. */
export const say = {
  ...before,
  spareKey: {
    title: "Spare key",
    lead: "For the owner, while Plex is down: run `medianest spare-key` on the server to get one. It works once.",
    key: "Key",
  },
} as const;
