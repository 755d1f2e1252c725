import { Suspense, useState } from "react";
import { Link } from "wouter";
import type { Entry } from "../../api/schema";
import { later } from "../../app/later";
import { say } from "../../strings/admin";
import { Button, buttonLook } from "../../ui/Button";
import { atClock } from "../../ui/units";
import { placeInPast } from "../past/place";
import type { Search } from "../queries";

const Changes = later(() => import("./Changes"));
const SMALL = "min-h-7! px-2! text-xs md:min-h-7!";

/** One event of the trail: who did what, what it was about, and the ways to look closer. */
export function EntryRow({ entry, look }: { readonly entry: Entry; readonly look: (change: Partial<Search>) => void }) {
  const [isOpen, open] = useState(false);
  return (
    <li className="grid gap-x-5 gap-y-1.5 px-4 py-2.5 md:grid-cols-[7rem_1fr_auto]">
      <time dateTime={entry.at} className="text-sm text-quiet tabular-nums">
        {atClock(new Date(entry.at))}
      </time>
      <div className="min-w-0">
        <p>{entry.words}</p>
        <div className="flex flex-wrap items-center gap-x-1 text-xs text-quiet">
          {say.admin.audit.by(entry.by, entry.position)}
          {[entry.type, ...entry.tags].map((word, number) => (
            <button
              key={word}
              type="button"
              className={`min-h-6 min-w-6 items-center rounded-md px-1.5 hover:bg-sunken hover:text-ink ${number === 0 ? "flex" : "hidden md:flex"}`}
              onClick={() => look(number === 0 ? { type: word } : { tag: word })}
            >
              <span className="sr-only">{say.admin.audit.only}</span>
              <span className="max-w-36 truncate">{word}</span>
            </button>
          ))}
        </div>
      </div>
      <div className="flex flex-wrap items-start gap-1">
        <Button className={SMALL} aria-haspopup="dialog" onClick={() => open(true)}>
          {say.admin.audit.changes}
        </Button>
        <Link href={placeInPast(entry.position)} className={`${buttonLook("plain")} ${SMALL}`}>
          {say.admin.audit.then}
        </Link>
      </div>
      <Suspense>{isOpen && <Changes entry={entry} onClose={() => open(false)} />}</Suspense>
    </li>
  );
}
