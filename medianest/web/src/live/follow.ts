import type { QueryClient } from "@tanstack/react-query";
import { Manager, type Socket } from "socket.io-client";
import { saw } from "../api/seen";
import { accessToken, currentSession, onSession, renew, signedOut } from "../session/session";
import type { Dashboard } from "../api/schema";
import { SIGNALS, touchedBy } from "./affected";
import { withLatency } from "./latency";
import { progressed } from "./progress";
import { become, connectionOf, forget } from "./standing";

type Payload = Readonly<Record<string, unknown>>;

const NAMESPACES = ["/auth", "/media"] as const;
const OF_STAFF = [...NAMESPACES, "/admin"] as const; // everybody's requests and downloads
const OWN: ReadonlySet<string> = new Set(["ready", "reload", "closing"]); // said by the connection itself
const GATHER_MS = 80; // what comes together is read together
const RENEW_EARLY_MS = 60_000;
const AGAIN_MS = 2_000;

/** Follows the stream of events for as long as somebody is signed in; answers with how to stop. */
export function follow(queries: QueryClient, isStaff: boolean): () => void {
  const manager = new Manager(location.origin, {
    transports: ["websocket", "polling"],
    tryAllTransports: true,
    reconnectionDelayMax: 8_000,
  });
  const refreshing = gathering((keys) => {
    for (const key of keys) void queries.invalidateQueries({ queryKey: [key] });
  });
  const all = () => void queries.invalidateQueries();
  const signalled = (signal: string, payload: Payload) => {
    if (signal !== "service.latency") return progressed(payload);
    queries.setQueryData<Dashboard>(["dashboard"], (known) => known && withLatency(known, payload));
  };
  const sockets = (isStaff ? OF_STAFF : NAMESPACES).map((name) => {
    const socket = followOne(manager, name, refreshing, all);
    for (const signal of SIGNALS) socket.on(signal, (payload: Payload) => signalled(signal, payload));
    return socket;
  });
  const renewing = renewInTime(sockets);
  const wake = () => sockets.forEach((socket) => socket.connect()); // at once, not when its pause is over
  window.addEventListener("online", wake);
  return () => {
    window.removeEventListener("online", wake);
    renewing();
    for (const socket of sockets) socket.disconnect();
    forget();
  };
}

/** One namespace: it says where it stopped, is told all it missed, in order, and then goes on live. */
function followOne(
  manager: Manager,
  name: (typeof OF_STAFF)[number],
  refresh: (keys: readonly string[]) => void,
  refreshAll: () => void,
): Socket {
  const session = currentSession();
  let since: number | null = (session.state === "in" && session.asOf) || null; // what the page shows is that new
  const socket = manager.socket(name, {
    auth: (say) => void accessToken().then((token) => say({ token, since }), () => retry(socket)),
  });
  const reached = (position: unknown) => {
    if (typeof position !== "number") return;
    since = Math.max(since ?? 0, position);
    saw(position);
  };
  socket.on("connect", () => become(name, "catching-up"));
  socket.on("disconnect", (reason) => {
    become(name, "lost");
    if (reason === "io server disconnect") retry(socket);
  });
  socket.on("connect_error", (error) => {
    become(name, "lost");
    if (!socket.active) void refused(socket, error);
  });
  socket.on("ready", (said: Payload) => {
    if (since === null) refreshAll(); // what was read before we listened may be older
    reached(said["position"]);
    become(name, "live");
  });
  socket.on("reload", (said: Payload) => {
    reached(said["position"]);
    refreshAll();
    become(name, "live");
  });
  socket.on("closing", (said: Payload) => {
    if (said["code"] === "session-ended" && currentSession().state === "in") signedOut(true);
  });
  socket.onAny((event: string, payload: Payload) => {
    if (OWN.has(event)) return; // it hears of those first, before they are seen to by themselves
    reached(payload["position"]);
    refresh(touchedBy(event));
  });
  return socket;
}

/** The server would not let us in: with a new token it may. */
async function refused(socket: Socket, error: Error & { data?: { code?: string } }): Promise<void> {
  const session = currentSession();
  if (error.data?.code === "session-ended") return signedOut(true);
  if (error.data?.code === "token-invalid" && session.state === "in") await renew(session.token).catch(() => undefined);
  retry(socket);
}

function retry(socket: Socket): void {
  setTimeout(() => {
    if (currentSession().state === "in") socket.connect();
  }, AGAIN_MS);
}

/** A namespace closes when its token ends: a new one is said before. */
function renewInTime(sockets: readonly Socket[]): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const plan = () => {
    clearTimeout(timer);
    const session = currentSession();
    if (session.state !== "in") return;
    for (const socket of sockets) if (socket.connected) socket.emit("renew", { token: session.token });
    const wait = Math.max(AGAIN_MS, session.expiresAt - Date.now() - RENEW_EARLY_MS);
    timer = setTimeout(() => void renew().catch(plan), wait);
  };
  const forgetSession = onSession(plan);
  plan();
  return () => {
    clearTimeout(timer);
    forgetSession();
  };
}

function gathering(act: (keys: ReadonlySet<string>) => void): (keys: readonly string[]) => void {
  let gathered = new Set<string>();
  return (keys) => {
    if (keys.length === 0) return;
    if (gathered.size === 0)
      setTimeout(() => {
        const now = gathered;
        gathered = new Set();
        if (connectionOf() !== "off") act(now);
      }, GATHER_MS);
    for (const key of keys) gathered.add(key);
  };
}
