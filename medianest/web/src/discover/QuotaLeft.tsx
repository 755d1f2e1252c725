import { say } from "../strings/discover";
import { atClock } from "../ui/units";
import { type Kind, useQuota } from "./queries";

/** What is left of my quota, said before I ask; nothing where there is no limit. */
export function QuotaLeft({ kind }: { readonly kind: Kind }) {
  const { items = [], in_seerr: inSeerr = [] } = useQuota().data ?? {};
  const quota = items.find((one) => one.kind === kind && one.left !== null);
  const there = inSeerr.find((one) => one.kind === kind && one.left < (quota?.left ?? Infinity));
  const free = quota?.next_slot_at ? ` ${say.trouble.freeAt(atClock(new Date(quota.next_slot_at)))}` : "";
  if (!quota && !there) return null;
  return (
    <p className="mt-3 text-sm text-quiet">
      {quota && say.discover.left(kind, quota.left ?? 0, quota.limit, quota.days) + free}
      {quota && there && " "}
      {there && say.discover.leftInSeerr(say.discover.left(kind, there.left, there.limit, there.days))}
    </p>
  );
}
