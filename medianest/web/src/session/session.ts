import { Problem, strange, unreachable } from "../api/problem";
import type { PinDone, ProblemDetails, Refreshed } from "../api/schema";
import { alone } from "./alone";

/**
 * Who is signed in. The refresh token is in an HttpOnly cookie that no script sees; the access token is here, in
 * memory, and nowhere else. `known` in the storage only says that there is a cookie worth trying.
 */
export type Session =
  | { readonly state: "unknown"; readonly unreachable?: true }
  | { readonly state: "out"; readonly ended: boolean }
  | {
      readonly state: "in";
      readonly account: string;
      readonly token: string;
      readonly expiresAt: number;
      readonly asOf: number; // the position that all this page has read is as new as
    };

type Tokens = Pick<Refreshed | PinDone, "access_token" | "expires_at" | "account" | "as_of">;

const KNOWN = "medianest.known";
const EARLY_MS = 30_000; // a token is replaced before it ends
const AGAIN_MS = 4_000;
const listeners = new Set<() => void>();
let session: Session = { state: "unknown" };
let renewal: Promise<string> | undefined;

export function currentSession(): Session {
  return session;
}

export function onSession(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Whether this browser had a session: it may have one still. */
export function wasKnown(): boolean {
  return localStorage.getItem(KNOWN) !== null;
}

/** Goes on with the session this browser had, if it had one; where nobody answers, as soon as somebody does. */
export async function resume(): Promise<void> {
  addEventListener("storage", signedInElsewhere);
  if (!wasKnown()) return become({ state: "out", ended: false });
  while (session.state === "unknown") {
    await renew().catch(() => undefined); // one that is over has ended by that; the rest is tried again
    if (session.state !== "unknown") return;
    become({ state: "unknown", unreachable: true });
    await aWhile();
  }
}

/** In another tab of this browser: the session is this one's too. */
function signedInElsewhere({ key, newValue }: StorageEvent): void {
  if (key === KNOWN && newValue !== null && session.state === "out") void renew().catch(() => undefined);
}

/** Until it may be worth another try: the network is back, or some seconds have gone. */
export function aWhile(): Promise<void> {
  return new Promise((over) => {
    const end = () => {
      clearTimeout(timer);
      removeEventListener("online", end);
      over();
    };
    const timer = setTimeout(end, AGAIN_MS);
    addEventListener("online", end);
  });
}

export function signedIn(tokens: Tokens): void {
  localStorage.setItem(KNOWN, "1");
  become({
    state: "in",
    account: tokens.account,
    token: tokens.access_token,
    expiresAt: Date.parse(tokens.expires_at),
    asOf: session.state === "in" ? session.asOf : tokens.as_of, // with a new token the page is no newer
  });
}

export function signedOut(ended: boolean): void {
  localStorage.removeItem(KNOWN);
  become({ state: "out", ended });
}

export async function signOut(): Promise<void> {
  const token = await accessToken();
  const headers = { Authorization: `Bearer ${token}` };
  const answer = await fetch("/api/v1/auth/logout", { method: "POST", headers }).catch(() => undefined);
  if (!answer) throw unreachable();
  if (!answer.ok && answer.status !== 401) throw strange(answer.status);
  signedOut(false);
}

/** One that is good for a while yet. */
export async function accessToken(): Promise<string> {
  return session.state === "in" && session.expiresAt - EARLY_MS > Date.now() ? session.token : renew();
}

/** A new access token, unless `spent` was replaced already; a session that is over ends here. */
export function renew(spent?: string): Promise<string> {
  if (session.state === "in" && spent !== undefined && session.token !== spent) return Promise.resolve(session.token);
  renewal ??= alone("medianest.refresh", refresh).finally(() => (renewal = undefined));
  return renewal;
}

async function refresh(): Promise<string> {
  const answer = await fetch("/api/v1/auth/refresh", { method: "POST" }).catch(() => undefined);
  if (answer?.ok) {
    const tokens = (await answer.json()) as Refreshed;
    signedIn(tokens);
    return tokens.access_token;
  }
  if (answer?.status !== 401) throw answer ? strange(answer.status) : unreachable();
  signedOut(true);
  throw new Problem((await answer.json()) as ProblemDetails);
}

function become(next: Session): void {
  session = next;
  for (const listener of listeners) listener();
}
