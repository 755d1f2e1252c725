import { say as before } from "./house";

/** What is said of where one is signed in. */
export const say = {
  ...before,
  devices: {
    unnamed: "A device",
    since: (when: string) => `signed in ${when}`,
    here: "This device",
    others: "Sign out everywhere else",
  },
} as const;
