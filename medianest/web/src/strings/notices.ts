import type { NoticeChoice } from "../api/schema";
import { say as before } from "./house";

/** What the inbox says. */
export const say = {
  ...before,
  notices: {
    ...before.notices,
    title: "Notices",
    none: "You’re all caught up",
    noneHint: "News about your requests and videos shows up here.",
    unread: "Unread:",
    account: "Your account",
    video: "A video",
    readAll: "Mark all as read",
    putAway: (title: string) => `Dismiss: ${title}`,
    choices: "Choose what you hear about",
    choicesHint: "This applies from now on, on all your devices.",
    kinds: {
      "request-approved": "A request is approved",
      "request-declined": "A request is declined",
      "request-arrived": "A request arrives",
      "request-failed": "A request fails",
      "request-removed": "Something you asked for is removed",
      "download-ready": "A video is ready",
      "download-failed": "A video fails",
      "download-removed": "A video is removed",
      "account-changed": "Your account changes",
    } satisfies Record<NoticeChoice["kind"], string>,
  },
} as const;
