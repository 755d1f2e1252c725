// The page without a network: its frame and what that is made of, as one build left them. No answer of the API comes
// in here, and nothing of any person. vite.config.ts writes it into dist/sw.js, with the two lines below filled in.
const BUILD = "medianest-__BUILD__";
const FILES = ["__FILES__"];

const FRAME = "/";
const THEIRS = /^\/(api|docs|sandbox|socket\.io|health|metrics)(\/|$)/; // pages and answers that are none of the UI
const PATIENCE_MS = 8000;

self.addEventListener("install", (event) => event.waitUntil(fill().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(dropAllBut(BUILD).then(() => self.clients.claim())));
self.addEventListener("fetch", (event) => {
  const { origin, pathname } = new URL(event.request.url);
  if (origin !== location.origin || event.request.method !== "GET" || THEIRS.test(pathname)) return;
  if (event.request.mode === "navigate") {
    event.respondWith(newest(event.request, FRAME));
    event.waitUntil(leaveIfGone());
  } else if (FILES.includes(pathname)) event.respondWith(isForEver(pathname) ? kept(event.request) : newest(event.request, pathname));
});

async function fill() {
  const cache = await caches.open(BUILD);
  await cache.addAll([FRAME, ...FILES].map((path) => new Request(path, { cache: isForEver(path) ? "default" : "no-cache" })));
}

/** Files whose names are made of their content. */
function isForEver(path) {
  return path.startsWith("/assets/");
}

/** From the network, so that a new build is seen at the next load; what is kept only where nobody of ours answers. */
async function newest(request, path) {
  const before = await caches.match(path, { cacheName: BUILD });
  if (!before) return fetch(request);
  try {
    const answer = await Promise.race([fetch(request), tooLate()]);
    return answer.status < 502 ? answer : before; // a proxy says 502 to 504 where there is no house behind it
  } catch {
    return before; // no network, or one that takes too long: the page itself says so
  }
}

function tooLate() {
  return new Promise((_, refuse) => setTimeout(() => refuse(new Error("too late")), PATIENCE_MS));
}

async function kept(request) {
  return (await caches.match(request, { cacheName: BUILD })) ?? fetch(request);
}

/** Where the server has no such file any more, this is not wanted any more: browsers alone would go on with it. */
async function leaveIfGone() {
  const answer = await fetch("/sw.js", { cache: "no-store" }).catch(() => undefined);
  if (answer?.status !== 404 && answer?.status !== 410) return;
  await dropAllBut(undefined);
  await self.registration.unregister();
}

async function dropAllBut(build) {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== build).map((name) => caches.delete(name)));
}
