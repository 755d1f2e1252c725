import { say as before } from "./door";

/** The guide. */
export const say = {
  ...before,
  help: {
    ...before.help,
    guide: "In short",
    steps: [
      ["Find", "Discover searches everything there is: what you can ask for, and what is in Plex already. Library shows what is shared with you."],
      ["Ask", "Open a film and ask for it, or pick the seasons of a series. What is left of your quota stands beside the button."],
      ["Follow", "Requests says where each thing is and why, and when the next try comes. The bell tells you what happened while you were away."],
      ["Send", "Under Videos, paste the address of a video or a playlist. It is fetched to the server and shown in Plex."],
    ],
    questions: "Questions",
    answers: [
      ["Why does my request wait?", "Its page says so in plain words: it needs a moderator, the request manager is out of reach, or your account there is not linked yet. Nothing you asked for is lost; it goes on by itself."],
      ["Why was it declined?", "The reason, and often a word of the moderator, stands on the page of the request. You may ask for something else meanwhile."],
      ["Somebody asked for it before me. What now?", "You follow their request: you see the same and are told the same. It does not count against your quota."],
      ["Why can I not ask for more?", "Films and seasons have quotas over some days. Discover says how much is left and when the next slot frees."],
      ["It says available, but I do not see it in Plex.", "Plex may need a minute to show it. If it still is not there, its library may not be shared with you: ask the owner of the server."],
      ["Why did my video fail?", "The row says why and what helps: a private video, a site that is not allowed, or one that was too large. Most failures of the network are tried again by themselves."],
      ["I cannot sign in.", "You need a Plex account with which this server is shared. If Plex itself does not answer, wait a moment; if your account is suspended, ask an admin."],
      ["What is kept of me?", "Your name and what you asked for. Your Plex password is never seen here, and tokens are kept sealed. An admin can erase you: then nothing you wrote can be read by anybody."],
    ],
  },
} as const;
