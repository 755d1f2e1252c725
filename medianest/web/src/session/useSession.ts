import { useSyncExternalStore } from "react";
import { currentSession, onSession, type Session } from "./session";

/** Apart from the session itself, which is there before React is. */
export function useSession(): Session {
  return useSyncExternalStore(onSession, currentSession);
}
