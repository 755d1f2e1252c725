import createClient from "openapi-fetch";
import { accessToken, renew } from "../session/session";
import { takeAhead } from "./ahead";
import { isProblem, Problem, strange, unreachable } from "./problem";
import type { paths, ProblemDetails } from "./schema";
import { readAgainSoon, saw, seen } from "./seen";

/** Every call there is, typed by the server's own description of itself (`python -m tests.web.typed_client` writes it anew). */
export const api = createClient<paths>({ baseUrl: location.origin, fetch: send });

/** The answer, or its problem thrown. */
export async function answered<Data>(call: Promise<{ data?: Data; error?: unknown; response: Response }>): Promise<Data> {
  const { data, error, response } = await call;
  if (data === undefined) throw isDetails(error) ? new Problem(error) : strange(response.status);
  if (isWritten(data)) saw(data.position);
  return data;
}

/** A key for one wish: sent again with it, it is done once. */
export function oneWish(): { "Idempotency-Key": string } {
  return { "Idempotency-Key": Array.from(crypto.getRandomValues(new Uint8Array(16)), hex).join("") };
}

async function send(request: Request): Promise<Response> {
  const isOpen = /^\/api\/v1\/auth\/(plex|refresh|spare-key)/.test(new URL(request.url).pathname);
  if (isOpen) return reach(request);
  const again = request.clone();
  const token = await accessToken();
  const answer = await reach(atLeast(withToken(request, token)));
  if (answer.status === 401) return reach(withToken(again, await renew(token)));
  if (answer.status !== 503 || request.method !== "GET" || (await codeOf(answer)) !== "not-that-new") return answer;
  readAgainSoon(); // the page is behind: until it is not, an older one is better than none
  return reach(withToken(again, token));
}

function withToken(request: Request, token: string): Request {
  request.headers.set("Authorization", `Bearer ${token}`);
  return request;
}

function atLeast(request: Request): Request {
  const url = new URL(request.url);
  if (request.method !== "GET" || seen() === 0) return request;
  url.searchParams.set("at_least", String(seen()));
  return new Request(url, request);
}

async function reach(request: Request): Promise<Response> {
  try {
    return await (takeAhead(request) ?? fetch(request));
  } catch (error) {
    if (request.signal.aborted || isProblem(error)) throw error;
    throw unreachable();
  }
}

async function codeOf(answer: Response): Promise<string | undefined> {
  const said: unknown = await answer.clone().json().catch(() => undefined);
  return isDetails(said) ? said.code : undefined;
}

function isDetails(value: unknown): value is ProblemDetails {
  return typeof value === "object" && value !== null && "code" in value && "remedy" in value;
}

function isWritten(value: unknown): value is { position: number } {
  return typeof value === "object" && value !== null && "position" in value && typeof value.position === "number";
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
