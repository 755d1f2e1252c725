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
  reload: "Reload the page",
  close: "Close",
  back: "Back",
  more: "Show more",
  kind: { movie: "Film", tv: "Series" } satisfies Record<Found["kind"], string>,
  help: { title: "Help" },
  away: {
    offline: "You’re offline",
    noAnswer: "MediaNest isn’t answering",
    lead: "This page comes back by itself as soon as it can. Nothing of yours is kept on this device, so there is nothing to show until then.",
  },
  signIn: {
    title: "Sign in",
    lead: "Ask for films and series, send videos to your Plex server, and see where everything stands.",
    redirect: "Continue with Plex",
    code: "Use a code instead",
    codeTitle: "Enter this code",
    codeLead: "On your phone, or on any device where you’re signed in to Plex:",
    codeOpen: "Open Plex",
    codeScan: "Scan this, or go to",
    qr: "QR code that opens Plex with the code filled in",
    copy: "Copy the code",
    copied: "Copied",
    runsOut: (left: string) => `Expires in ${left}`,
    finishing: "Waiting for Plex…",
    finishingLead: "You’ll be signed in as soon as Plex confirms it’s you.",
    anotherWay: "Sign in another way",
    spareKey: "I own this server and have a spare key",
    ended: "Your session has ended. Please sign in again.",
    stillTrying: "Plex isn’t answering. Still trying…",
    failed: "Sign-in didn’t work",
    refusals: {
      "pin-expired": ["The code has expired", "Nobody entered it in time. Get a new one."],
      "pin-unknown": ["This sign-in is no longer valid", "Please start again."],
      "pin-used": ["This code was already used", "Each code works once. Get a new one."],
      "no-access": ["This Plex account has no access", "Ask the server’s owner to share it with you in Plex, then try again."],
      "sign-ups-closed": ["MediaNest isn’t taking new people right now", "Ask an admin to let you in."],
      "account-suspended": ["Your account is suspended", "Ask an admin to reinstate it."],
      "plex-token-refused": ["Plex withdrew its approval", "Please start again."],
      "plex-unreachable": ["Plex isn’t answering", "Try again in a moment."],
      "too-many-calls": ["Too many attempts", "Wait a minute, then try again."],
      "other-site": ["This page was opened from another site", "Open MediaNest directly and sign in there."],
    } as Readonly<Record<string, readonly [string, string]>>,
  },
  signInAgain: "Sign in again",
  trouble: {
    title: "That didn’t work",
    gone: ["It isn’t here", "It may have been removed, or the link is wrong."],
    noAnswer: ["MediaNest isn’t answering", "Check your connection. It keeps trying by itself."],
    strange: ["Something went wrong in MediaNest", "Try again in a moment."],
    takesTime: (who: string) => `${who} It shows here as soon as there is an answer.`,
    freeAt: (when: string) => `Your next slot opens ${when}.`,
  },
  justNow: "just now",
} as const;
