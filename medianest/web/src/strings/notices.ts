import type { NoticeChoice } from "../api/schema";
import { say as before } from "./house";

/** What the inbox says. */
export const say = {
  ...before,
  notices: {
    ...before.notices,
    title: "Notices",
    none: "Nothing new.",
    noneHint: "What becomes of your requests and videos is told here.",
    unread: "Unread:",
    account: "Your account",
    video: "A video",
    readAll: "Mark all as read",
    putAway: (title: string) => `Put away: ${title}`,
    choices: "Choose what you are told",
    choicesHint: "It counts from now on, on all your devices.",
    kinds: {
      "request-approved": "A request is approved",
      "request-declined": "A request is declined",
      "request-arrived": "A request has arrived",
      "request-failed": "A request has failed",
      "request-removed": "Something you asked for was removed",
      "download-ready": "A video is ready",
      "download-failed": "A video has failed",
      "download-removed": "A video was removed",
      "account-changed": "Your account changes",
    } satisfies Record<NoticeChoice["kind"], string>,
  },
} as const;
