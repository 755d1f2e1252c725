import { say } from "../../strings/admin";
import { atClock } from "../../ui/units";
import { FIELD } from "../../ui/Field";

/** From when and until when, as somebody types it in their own time; empty: from now, and until somebody ends it. */
interface Typed {
  readonly since: string;
  readonly until: string;
}

export const ALWAYS: Typed = { since: "", until: "" };

export function PeriodFields({ typed, type }: { readonly typed: Typed; readonly type: (typed: Typed) => void }) {
  return (
    <div className="grid gap-3 sm:grid-cols-2">
      {(["since", "until"] as const).map((name) => (
        <label key={name} className="block text-sm text-quiet">
          {say.admin.board[name]}
          <input type="datetime-local" className={FIELD} value={typed[name]} onChange={(event) => type({ ...typed, [name]: event.target.value })} />
        </label>
      ))}
    </div>
  );
}

/** As the server takes it: in one time for all. */
export function momentsOf({ since, until }: Typed): { since: string | null; until: string | null } {
  return { since: since ? new Date(since).toISOString() : null, until: until ? new Date(until).toISOString() : null };
}

/** As a field takes it: in one's own time, to the minute. */
export function typedOf({ since, until }: { readonly since: string; readonly until: string | null }): Typed {
  return { since: localOf(since), until: until ? localOf(until) : "" };
}

function localOf(moment: string): string {
  const at = new Date(moment);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** "over", "now, until 18:00", "from 14:05": how a period stands now. */
export function standingOf({ since, until }: { readonly since: string; readonly until: string | null }, now = new Date()): string {
  const begins = new Date(since);
  const ends = until ? new Date(until) : undefined;
  if (ends && ends <= now) return say.admin.board.over(atClock(ends));
  if (begins > now) return say.admin.board.coming(atClock(begins), ends && atClock(ends));
  return say.admin.board.nowUntil(ends && atClock(ends));
}

export function isOver({ until }: { readonly until: string | null }, now = new Date()): boolean {
  return until !== null && new Date(until) <= now;
}
