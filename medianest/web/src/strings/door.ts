import type { Found } from "../api/schema";

/**
 * What the UI says by itself, a file for each part of the house, so that each comes with the code that says it: the
 * words of the door are there first, all others add theirs to those of the part before. No word stands elsewhere. A
 * translation is another folder of these files.
 */
export const say = {
  language: "en-GB",
  name: "MediaNest",
  loading: "Loading",
  again: "Try again",
  reload: "Load the page anew",
  close: "Close",
  back: "Back",
  more: "Show more",
  kind: { movie: "Film", tv: "Series" } satisfies Record<Found["kind"], string>,
  help: { title: "Help" },
  away: {
    offline: "You are offline",
    noAnswer: "MediaNest does not answer",
    lead: "It goes on by itself as soon as it can. What you last saw is not shown: nothing of yours is kept on this device.",
  },
  signIn: {
    title: "Sign in",
    lead: "Films, series and videos of your Plex server, and where each thing you asked for stands.",
    redirect: "Continue with Plex",
    code: "Use a code instead",
    codeTitle: "Enter this code",
    codeLead: "On your phone or any other device, signed in to Plex:",
    codeOpen: "Open the Plex page",
    codeScan: "or scan this",
    qr: "QR code that opens the Plex page with the code filled in",
    copy: "Copy the code",
    copied: "Copied",
    runsOut: (left: string) => `The code is good for ${left}`,
    finishing: "Waiting for Plex…",
    finishingLead: "You come in as soon as Plex says who you are.",
    anotherWay: "Another way to sign in",
    ended: "Your session has ended. Sign in again.",
    stillTrying: "Plex does not answer. It is tried again by itself.",
    failed: "You could not be signed in",
    refusals: {
      "pin-expired": ["The code has run out", "Nobody entered it in time. Take a new one."],
      "pin-unknown": ["This sign-in is not known any more", "Start again."],
      "pin-used": ["The code was used already", "A code signs in once. Take a new one."],
      "no-access": ["This Plex account has no access", "Ask the owner of the server to share it with you in Plex, then start again."],
      "sign-ups-closed": ["MediaNest takes nobody new at the moment", "Ask an admin to let you in."],
      "account-suspended": ["Your account is suspended", "Ask an admin to reinstate it."],
      "plex-token-refused": ["Plex took its word back", "Start again."],
      "plex-unreachable": ["Plex does not answer", "Try again in a moment."],
      "too-many-calls": ["Too many attempts", "Wait a minute, then start again."],
      "other-site": ["This page was opened from elsewhere", "Open MediaNest itself, and sign in there."],
    } as Readonly<Record<string, readonly [string, string]>>,
  },
  trouble: {
    title: "That did not work",
    noAnswer: ["MediaNest does not answer", "Check your connection. It is tried again by itself."],
    strange: ["MediaNest is not well", "Try again in a moment."],
    freeAt: (when: string) => `Your next slot frees ${when}.`,
  },
  justNow: "just now",
} as const;
