import { currentSession } from "../session/session";

/** What home asks first, and of that what it shows first. */
const OF_HOME = ["dashboard", "announcements", "plex/recently-added?limit=18", "auth/session", "notices/unread", "dashboard/uptime", "links"];

const asked = new Map<string, Promise<Response>>();

/** Asks that as soon as it is known who asks: the code that shows it is still on its way. */
export function askAhead(): void {
  const session = currentSession();
  if (session.state !== "in" || location.pathname !== "/") return;
  const headers = { Authorization: `Bearer ${session.token}` };
  for (const what of OF_HOME) {
    const address = `${location.origin}/api/v1/${what}`;
    const answer = fetch(address, { headers });
    answer.catch(() => undefined); // whoever takes it hears of that
    asked.set(address, answer);
  }
}

/** The answer to the very same question, if it was asked ahead; it is there once. */
export function takeAhead({ method, url }: Request): Promise<Response> | undefined {
  const answer = method === "GET" ? asked.get(url) : undefined;
  asked.delete(url);
  return answer;
}
