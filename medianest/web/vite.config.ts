import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const server = process.env["MEDIANEST_URL"] ?? "http://127.0.0.1:8484";
const theirs = ["/api", "/socket.io", "/health", "/docs", "/sandbox"];

export default defineConfig({
  plugins: [react(), tailwindcss()],
  build: {
    target: "es2022",
    manifest: true, // which chunk needs which: tests/web measures what a first page loads
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // the policy allows files of ours, and nothing inline
  },
  // `npm run dev` shows the sources at work on a demo that runs beside it.
  server: { proxy: Object.fromEntries(theirs.map((path) => [path, { target: server, ws: true }])) },
});
