import { useEffect, useRef, useState } from "react";
import { answered, api } from "../api/client";
import { isProblem } from "../api/problem";
import { say } from "../strings/door";
import { inWords } from "../ui/Trouble";
import { signedIn } from "./session";

/** A sign-in under way. */
export interface Attempt {
  readonly pin: string;
  readonly expiresAt: number;
  readonly code?: { readonly letters: string; readonly link: string; readonly filledIn: string };
}

const KEPT = "medianest.pin"; // while this tab is away at Plex
const POLL_MS = 1_500;

/** Starts a sign-in by a page of Plex, and goes there; Plex sends the browser back to our first page. */
export async function leaveForPlex(): Promise<undefined> {
  const started = await answered(api.POST("/api/v1/auth/plex/pin", { body: { form: "redirect" } }));
  const attempt: Attempt = { pin: started.pin, expiresAt: Date.parse(started.expires_at) };
  sessionStorage.setItem(KEPT, JSON.stringify(attempt));
  location.assign(started.redirect);
}

export async function startCode(): Promise<Attempt> {
  const started = await answered(api.POST("/api/v1/auth/plex/pin", { body: { form: "code" } }));
  return {
    pin: started.pin,
    expiresAt: Date.parse(started.expires_at),
    code: { letters: started.code, link: started.link ?? started.redirect, filledIn: started.redirect },
  };
}

/** The sign-in that Plex has just sent us back from. */
export function returned(): Attempt | undefined {
  const kept = sessionStorage.getItem(KEPT);
  return kept === null ? undefined : (JSON.parse(kept) as Attempt);
}

/** It is not waited for any longer. */
export function forgetAttempt(): void {
  sessionStorage.removeItem(KEPT);
}

/** Asks until Plex says who it is, and signs them in. Answers whether there is passing trouble meanwhile. */
export function usePin(attempt: Attempt, onFailure: (error: unknown) => void): boolean {
  const [trouble, setTrouble] = useState(false);
  const fail = useRef(onFailure);
  useEffect(() => {
    fail.current = onFailure;
  });
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    const look = async () => {
      try {
        const found = await answered(api.GET("/api/v1/auth/plex/pin/{pin}", { params: { path: { pin: attempt.pin } } }));
        if (over) return;
        setTrouble(false);
        if ("access_token" in found) {
          forgetAttempt();
          return signedIn(found);
        }
      } catch (error) {
        if (over) return;
        if (!isPassing(error)) return fail.current(error);
        setTrouble(true);
      }
      timer = setTimeout(() => void look(), POLL_MS);
    };
    void look();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [attempt]);
  return trouble;
}

/** What a refusal means, and what helps. */
export function refusalOf(error: unknown): { title: string; remedy: string } {
  const known = isProblem(error) ? say.signIn.refusals[error.code] : undefined;
  return known ? { title: known[0], remedy: known[1] } : inWords(error);
}

function isPassing(error: unknown): boolean {
  return isProblem(error) && error.passes;
}
