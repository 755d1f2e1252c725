import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { brotliCompressSync } from "node:zlib";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin, type Rolldown } from "vite";

const server = process.env["MEDIANEST_URL"] ?? "http://127.0.0.1:8484";
const theirs = ["/api", "/socket.io", "/health", "/docs", "/sandbox"];
const DIST = resolve(import.meta.dirname, "dist");
/** What begins, what the first page needs beside it, and what home needs then, are a file each: many small ones pack worse, and take turns. */
const STEPS = { early: "main.ts", first: "app/start.tsx", home: "app/SignedIn.tsx" };

/** The file of all that `source` needs and no step before it does. */
function step([name, source]: [string, string], index: number): Rolldown.CodeSplittingGroup {
  const from = resolve(import.meta.dirname, "src", source);
  const needed = (modules: Rolldown.ChunkingContext, id: string, found = new Set<string>()): Set<string> => {
    if (!found.has(id)) for (const next of (found.add(id), modules.getModuleInfo(id)?.importedIds ?? [])) needed(modules, next, found);
    return found;
  };
  return { debugName: name, name: (id, modules) => (needed(modules, from).has(id) ? name : null), priority: 9 - index };
}

/** The page names what its first show needs, though nothing that comes before does: it is fetched at once, beside what begins. */
function preloaded(): Plugin {
  return {
    name: "preloaded",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler: (_page, { bundle = {} }) =>
        Object.values(bundle)
          .filter(({ name }) => name === "first")
          .map(({ fileName }) => ({ tag: "link", injectTo: "head", attrs: { rel: "modulepreload", crossorigin: true, href: `/${fileName}` } })),
    },
  };
}

/** The service worker of this build: it keeps the page, what that names, and the letters. */
function worker(): Plugin {
  return {
    name: "worker",
    apply: "build",
    closeBundle() {
      const page = readFileSync(join(DIST, "index.html"), "utf8");
      const files = [...page.matchAll(/(?:src|href)="(\/[^"]+\.(?:js|css|woff2))"/g)].map(([, path]) => path).concat("/icon.svg");
      const source = readFileSync(resolve(import.meta.dirname, "worker.js"), "utf8").replace('["__FILES__"]', JSON.stringify(files));
      const build = createHash("sha256").update(source).update(page).digest("hex").slice(0, 12);
      writeFileSync(join(DIST, "sw.js"), source.replace("__BUILD__", build));
    },
  };
}

/** Beside each file that packs well, the same packed as small as it gets: that takes longer than a request may. */
function packed(): Plugin {
  const pack = (name: string) => writeFileSync(join(DIST, `${name}.br`), brotliCompressSync(readFileSync(join(DIST, name))));
  return {
    name: "packed",
    apply: "build",
    closeBundle: () => (readdirSync(DIST, { recursive: true }) as string[]).filter((name) => /\.(js|css|html|svg)$/.test(name)).forEach(pack),
  };
}

export default defineConfig({
  plugins: [react(), tailwindcss(), preloaded(), worker(), packed()],
  build: {
    target: "es2022",
    manifest: true, // which chunk needs which: tests/web measures what a first page loads
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // the policy allows files of ours, and nothing inline
    rolldownOptions: { output: { codeSplitting: { groups: Object.entries(STEPS).map(step) } } },
  },
  // `npm run dev` shows the sources at work on a demo that runs beside it.
  server: { proxy: Object.fromEntries(theirs.map((path) => [path, { target: server, ws: true }])) },
});
