import { lazy, Suspense, useState } from "react";
import { Link } from "wouter";
import type { Entry } from "../../api/schema";
import { say } from "../../strings/admin";
import { Button, buttonLook } from "../../ui/Button";
import { atClock } from "../../ui/units";
import { placeInPast } from "../past/place";
import type { Search } from "../queries";

const Changes = lazy(() => import("./Changes"));
const SMALL = "min-h-7! px-2! text-xs md:min-h-7!";

/** One event of the trail: who did what, what it was about, and the ways to look closer. */
export function EntryRow({ entry, look }: { readonly entry: Entry; readonly look: (change: Partial<Search>) => void }) {
  const [isOpen, open] = useState(false);
  return (
    <li className="grid gap-x-4 gap-y-1 px-4 py-3 md:grid-cols-[9rem_1fr]">
      <time dateTime={entry.at} className="text-sm text-quiet tabular-nums">
        {atClock(new Date(entry.at))}
      </time>
      <div className="min-w-0">
        <p>{entry.words}</p>
        <p className="text-xs text-quiet">{say.admin.audit.by(entry.by, entry.position)}</p>
      </div>
      <div className="mt-1 flex flex-wrap items-start gap-1 md:col-start-2">
        <Button className={SMALL} aria-haspopup="dialog" onClick={() => open(true)}>
          {say.admin.audit.changes}
        </Button>
        <Link href={placeInPast(entry.position)} className={`${buttonLook("plain")} ${SMALL}`}>
          {say.admin.audit.then}
        </Link>
        {[entry.type, ...entry.tags].map((word, number) => (
          <Button key={word} weight="quiet" className={SMALL} onClick={() => look(number === 0 ? { type: word } : { tag: word })}>
            <span className="sr-only">{say.admin.audit.only}</span>
            <span className="max-w-44 truncate">{word}</span>
          </Button>
        ))}
      </div>
      <Suspense>{isOpen && <Changes entry={entry} onClose={() => open(false)} />}</Suspense>
    </li>
  );
}
