import { say } from "../strings/discover";
import { atClock } from "../ui/units";
import { type Kind, useQuota } from "./queries";

/** What is left of my quota, said before I ask; nothing where there is no limit. */
export function QuotaLeft({ kind }: { readonly kind: Kind }) {
  const quota = useQuota().data?.items.find((one) => one.kind === kind);
  if (!quota || quota.left === null) return null;
  const free = quota.next_slot_at ? ` ${say.trouble.freeAt(atClock(new Date(quota.next_slot_at)))}` : "";
  return (
    <p className="mt-3 text-sm text-quiet">
      {say.discover.left(kind, quota.left, quota.limit, quota.days)}
      {free}
    </p>
  );
}
