import { expect, test } from "vitest";
import type { Dashboard, Service } from "../api/schema";
import { withLatency } from "./latency";

const plex: Service = { service: "plex", state: "up", since: null, why: null, latency_ms: 3, checked_at: null };
const dashboard: Dashboard = { requests: [], downloads: [], services: [plex, { ...plex, service: "seerr" }], as_of: 1 };

test("a signal changes the one service it is about", () => {
  const { services } = withLatency(dashboard, { service: "plex", milliseconds: 18.2 });
  expect(services.map((one) => one.latency_ms)).toEqual([18.2, 3]);
});

test("what is no latency changes nothing", () => {
  expect(withLatency(dashboard, { service: "plex" })).toBe(dashboard);
});
