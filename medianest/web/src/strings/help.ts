import { say as before } from "./door";

/** The guide. */
export const say = {
  ...before,
  help: {
    ...before.help,
    guide: "In short",
    steps: [
      ["Find", "Discover searches everything: what you can ask for, what’s already in Plex, and your own videos. Library shows what’s shared with you."],
      ["Ask", "Open a film and ask for it, or pick the seasons of a series. How many more you can ask for is shown next to the button."],
      ["Follow", "Requests shows where each thing is, why, and when the next try is due. The bell tells you what happened while you were away."],
      ["Send", "Under Videos, paste a link to a video or playlist. It’s downloaded to the server and shows up in Plex."],
    ],
    questions: "Questions",
    answers: [
      ["Why is my request waiting?", "Its page tells you: it needs a moderator, the request manager is down, or your account there isn’t linked yet. Nothing you asked for gets lost; it carries on by itself."],
      ["Why was it declined?", "The request’s page shows the reason, and often a word from the moderator. You can ask for something else in the meantime."],
      ["Somebody already asked for it. What now?", "You follow their request: you see the same progress and get the same news. It doesn’t count against your quota."],
      ["Why can’t I ask for more?", "Films and seasons have quotas over a number of days. Each title’s page shows what’s left and when the next slot opens."],
      ["It says available, but I don’t see it in Plex.", "Plex may need a minute to show it. If it still isn’t there, its library may not be shared with you: ask the server’s owner."],
      ["Why did my video fail?", "Its row says why and what helps: it’s private, the site isn’t allowed, or it’s too large. After most network failures it tries again by itself."],
      ["I can’t sign in.", "You need a Plex account this server is shared with. If Plex itself is down, wait a moment; if your account is suspended, ask an admin."],
      ["What do you keep about me?", "Your name and what you asked for. MediaNest never sees your Plex password, and keeps tokens encrypted. An admin can erase you: after that, nobody can read anything you wrote."],
    ],
  },
} as const;
