import { useState } from "react";
import { Link } from "wouter";
import { useAsk } from "../api/queries";
import type { Detail, NewRequest, TitleDetail } from "../api/schema";
import { requestPath } from "../app/routes";
import { say } from "../strings";
import { Badge } from "../ui/Badge";
import { Button, buttonLook } from "../ui/Button";
import { Trouble } from "../ui/Trouble";
import { QuotaLeft } from "./QuotaLeft";
import { free, standingOf } from "./standing";

/** The button for a film; nothing where it is there, or on its way to me. */
export function AskForFilm({ detail }: { readonly detail: Detail }) {
  const { title, requested, mine } = detail;
  if (title.state === "available") return <p className="text-quiet">{say.discover.there}</p>;
  if (mine) return null;
  return <Asking body={wish(title, [])} label={requested ? say.discover.follow : say.discover.ask} />;
}

/** The seasons to pick from: those that are free are chosen to begin with. */
export function AskForSeries({ detail }: { readonly detail: Detail }) {
  const { title } = detail;
  const open = free(title.seasons).map((season) => season.number);
  const [unwanted, setUnwanted] = useState<ReadonlySet<number>>(new Set([0])); // specials are for those who ask
  const chosen = open.filter((number) => !unwanted.has(number));
  const toggle = (number: number) => setUnwanted(toggled(unwanted, number));
  const all = chosen.length === open.length;
  return (
    <fieldset>
      <legend className="sr-only">{say.discover.seasons}</legend>
      <div className="mb-2 flex items-center justify-between">
        <span className="text-sm font-semibold text-quiet">{say.discover.seasons}</span>
        {open.length > 1 && (
          <label className="flex min-h-9 items-center gap-2.5 text-sm">
            <input type="checkbox" className="size-4 accent-accent" checked={all} onChange={() => setUnwanted(all ? new Set(open) : new Set())} />
            {say.discover.allSeasons}
          </label>
        )}
      </div>
      <ul className="mb-4 divide-y divide-line overflow-hidden rounded-xl bg-raised">
        {title.seasons.map((season) => (
          <SeasonRow key={season.number} season={season} isOpen={open.includes(season.number)} isChosen={chosen.includes(season.number)} toggle={toggle} />
        ))}
      </ul>
      {open.length > 0 && <Asking body={wish(title, chosen)} label={say.discover.askSeasons(chosen.length)} disabled={chosen.length === 0} />}
    </fieldset>
  );
}

interface SeasonProps {
  readonly season: TitleDetail["seasons"][number];
  readonly isOpen: boolean;
  readonly isChosen: boolean;
  readonly toggle: (number: number) => void;
}

function SeasonRow({ season, isOpen, isChosen, toggle }: SeasonProps) {
  const standing = isOpen ? undefined : standingOf(season.state, null);
  return (
    <li>
      <label className={`flex min-h-12 items-center gap-3 px-4 ${isOpen ? "hover:bg-sunken" : ""}`}>
        <input type="checkbox" className="size-4 accent-accent" checked={isChosen} disabled={!isOpen} onChange={() => toggle(season.number)} />
        <span className="grow">{say.discover.season(season.number)}</span>
        {standing ? (
          <Badge tone={standing.tone}>{standing.word}</Badge>
        ) : (
          <span className="text-sm text-quiet">{say.discover.episodes(season.episodes)}</span>
        )}
      </label>
    </li>
  );
}

function Asking({ body, label, disabled = false }: { readonly body: NewRequest; readonly label: string; readonly disabled?: boolean }) {
  const ask = useAsk();
  if (ask.data)
    return (
      <div role="status" className="flex flex-wrap items-center gap-3">
        <p className="text-good">{ask.data.joined ? say.discover.joined : say.discover.asked}</p>
        <Link href={requestPath(ask.data.request)} className={buttonLook("plain")}>
          {say.requests.where}
        </Link>
      </div>
    );
  return (
    <>
      <Button weight="strong" className="min-h-12 w-full sm:w-auto sm:min-w-52" disabled={disabled || ask.isPending} onClick={() => ask.mutate(body)}>
        {ask.isPending ? say.discover.asking : label}
      </Button>
      <QuotaLeft kind={body.kind} />
      {ask.error && (
        <div className="mt-3">
          <Trouble error={ask.error} />
        </div>
      )}
    </>
  );
}

function wish(title: TitleDetail, seasons: readonly number[]): NewRequest {
  return { kind: title.kind, tmdb: title.tmdb, seasons: [...seasons], title: title.title, year: title.year };
}

function toggled(numbers: ReadonlySet<number>, number: number): ReadonlySet<number> {
  const next = new Set(numbers);
  if (!next.delete(number)) next.add(number);
  return next;
}
