import { useEffect, useSyncExternalStore } from "react";
import { say } from "../strings/door";

/** What stands in the place of everything while there is nobody to ask who one is. */
export function Away() {
  const title = useOnline() ? say.away.noAnswer : say.away.offline;
  useEffect(() => {
    document.title = `${title} · ${say.name}`;
  }, [title]);
  return (
    <main className="door grid min-h-dvh place-items-center px-5 py-10">
      <div role="status" className="w-full max-w-88">
        <img src="/icon.svg" alt="" className="mb-6 size-14" />
        <h1 className="text-3xl font-semibold tracking-tight">{title}</h1>
        <p className="mt-2 text-pretty text-quiet">{say.away.lead}</p>
      </div>
    </main>
  );
}

/** Whether this device has a network at all. */
export function useOnline(): boolean {
  return useSyncExternalStore(onNetwork, () => navigator.onLine);
}

function onNetwork(listener: () => void): () => void {
  addEventListener("online", listener);
  addEventListener("offline", listener);
  return () => {
    removeEventListener("online", listener);
    removeEventListener("offline", listener);
  };
}
