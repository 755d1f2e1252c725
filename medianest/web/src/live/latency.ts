import type { Dashboard } from "../api/schema";

/** The dashboard with what a signal says of how quickly a service answers; null: it did not. */
export function withLatency(dashboard: Dashboard, signal: Readonly<Record<string, unknown>>): Dashboard {
  const { service, milliseconds } = signal;
  if (typeof milliseconds !== "number" && milliseconds !== null) return dashboard;
  const services = dashboard.services.map((one) => (one.service === service ? { ...one, latency_ms: milliseconds } : one));
  return { ...dashboard, services };
}
