import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answered, api, oneWish } from "../api/client";
import type { Announced, Announcement } from "../api/schema";
import { say } from "../strings/house";
import { Icon } from "../ui/Icon";

const LOOKS: Readonly<Record<Announcement["level"], string>> = {
  info: "border-busy",
  warning: "border-warn",
  important: "border-bad",
};
const LONGEST_MS = 3_600_000; // browsers forget timers that are very long

/** What admins tell everybody, until it is over or one has put it away. */
export function Announcements() {
  const items = useAnnounced().data?.items ?? [];
  const dismiss = useDismiss();
  if (items.length === 0) return null;
  return (
    <section aria-label={say.home.announcements} className="mb-7 grid gap-2">
      {items.map(({ announcement, level, text }) => (
        <div key={announcement} className={`flex items-start gap-3 rounded-xl border-l-4 bg-raised py-2 pr-2 pl-4 ${LOOKS[level]}`}>
          <p className="min-w-0 flex-1 py-2">
            {level !== "info" && <span className="font-semibold">{say.home.level[level]} </span>}
            {text}
          </p>
          <button
            type="button"
            aria-label={say.home.putAway}
            disabled={dismiss.isPending}
            className="flex size-11 shrink-0 items-center justify-center rounded-lg text-quiet hover:bg-sunken hover:text-ink md:size-10"
            onClick={() => dismiss.mutate(announcement)}
          >
            <Icon name="close" className="size-4" />
          </button>
        </div>
      ))}
    </section>
  );
}

/** It changes by an event, and by the clock: when the next one begins or ends. */
export function useAnnounced() {
  return useQuery({
    queryKey: ["announcements"],
    queryFn: () => answered(api.GET("/api/v1/announcements")),
    refetchInterval: (query) => untilNext(query.state.data),
  });
}

function untilNext(known: Announced | undefined): number | false {
  if (!known?.changes_at) return false;
  return Math.min(LONGEST_MS, Math.max(1_000, new Date(known.changes_at).getTime() - Date.now() + 500));
}

function useDismiss() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (announcement: string) =>
      answered(
        api.POST("/api/v1/announcements/{announcement}/dismiss", { params: { path: { announcement } }, headers: oneWish() }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["announcements"] }),
  });
}
