import { type ReactNode, useState } from "react";
import { isStillAsked } from "../api/again";
import { isProblem } from "../api/problem";
import { signOut } from "../session/session";
import { say } from "../strings/door";
import { Button } from "./Button";
import { atClock } from "./units";
import { useLate } from "./useLate";

/** Plex knows somebody no longer: it does so again once they have come in anew. */
const UNLINKED: ReadonlySet<string> = new Set(["plex-not-linked", "plex-token-refused"]);

interface TroubleProps {
  readonly error: unknown;
  readonly titles?: Readonly<Record<string, string>>; // by code, where the page has better words than the server
  readonly retry?: () => void;
}

/** A failure: what it is, and what helps. */
export function Trouble({ error, titles = {}, retry }: TroubleProps) {
  const { title, remedy } = inWords(error);
  return (
    <div role="alert" className="rounded-xl border border-line bg-raised px-5 py-4">
      <p className="font-medium text-bad">{(isProblem(error) && titles[error.code]) || title}</p>
      <p className="mt-0.5 text-sm text-quiet">{remedy}</p>
      {isProblem(error) && UNLINKED.has(error.code) && (
        <Button className="mt-3" onClick={() => void signOut()}>
          {say.signInAgain}
        </Button>
      )}
      {retry && (!isProblem(error) || error.passes) && (
        <Button className="mt-3" onClick={retry}>
          {say.again}
        </Button>
      )}
    </div>
  );
}

export function inWords(error: unknown): { title: string; remedy: string } {
  if (!isProblem(error)) return { title: say.trouble.title, remedy: say.reload };
  if (error.status === 404) return { title: say.trouble.gone[0], remedy: say.trouble.gone[1] };
  const when = error.retryAt ? ` ${say.trouble.freeAt(atClock(error.retryAt))}` : "";
  return { title: error.detail ?? error.message, remedy: error.code === "quota-used-up" ? when.trim() : error.remedy };
}

export interface Asked<Data> {
  readonly data: Data | undefined;
  readonly error: unknown;
  readonly failureReason?: unknown; // of the last try, though others follow it
  readonly refetch: () => unknown;
}

/** Why there is no answer. It stands while that is asked for again: a page does not flicker between its trouble and its ghost. */
export function useFailure<Data>({ data, error }: Asked<Data>): unknown {
  const [known, remember] = useState<unknown>();
  const failure = data === undefined ? (error ?? known) : undefined;
  if (failure !== known) remember(failure);
  return failure;
}

/** What was asked for, once it is there; before, its ghost; and where it failed, the remedy. Old data stays. */
export function Loaded<Data>({
  asked,
  ghost,
  children,
}: {
  readonly asked: Asked<Data>;
  readonly ghost: ReactNode;
  readonly children: (data: Data) => ReactNode;
}) {
  const { data, error, failureReason } = asked;
  const isLate = useLate(data === undefined && isStillAsked(failureReason));
  const failure = useFailure(asked);
  if (failure) return <Trouble error={failure} retry={() => void asked.refetch()} />;
  if (data === undefined)
    return (
      <div role="status">
        <span className="sr-only">{say.loading}</span>
        {isLate && <p className="mb-3 text-sm text-quiet">{say.trouble.takesTime(inWords(failureReason).title)}</p>}
        {ghost}
      </div>
    );
  return (
    <>
      {error ? <p role="status" className="mb-3 text-sm text-warn">{inWords(error).title}</p> : null}
      {children(data)}
    </>
  );
}
