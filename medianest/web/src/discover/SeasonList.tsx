import type { TitleDetail } from "../api/schema";
import { say } from "../strings/discover";
import { Badge } from "../ui/Badge";
import { standingOf } from "./standing";

export type Season = TitleDetail["seasons"][number];

interface Choice {
  readonly seasons: readonly Season[];
  readonly open: readonly number[]; // those that can be chosen
  readonly chosen: readonly number[];
  readonly choose: (chosen: readonly number[]) => void;
}

/** The seasons of a series to pick from; those that cannot be say why. */
export function SeasonList({ seasons, open, chosen, choose }: Choice) {
  const all = chosen.length === open.length;
  const toggle = (number: number) =>
    choose(chosen.includes(number) ? chosen.filter((other) => other !== number) : open.filter((other) => other === number || chosen.includes(other)));
  return (
    <fieldset>
      <legend className="sr-only">{say.titles.seasons}</legend>
      <div className="mb-2 flex items-center justify-between">
        <span className="text-sm font-semibold text-quiet">{say.titles.seasons}</span>
        {open.length > 1 && (
          <label className="flex min-h-9 items-center gap-2.5 text-sm">
            <input type="checkbox" className="size-4 accent-accent" checked={all} onChange={() => choose(all ? [] : open)} />
            {say.discover.allSeasons}
          </label>
        )}
      </div>
      <ul className="mb-4 divide-y divide-line overflow-hidden rounded-xl bg-raised">
        {seasons.map((season) => (
          <SeasonRow key={season.number} season={season} isOpen={open.includes(season.number)} isChosen={chosen.includes(season.number)} toggle={toggle} />
        ))}
      </ul>
    </fieldset>
  );
}

interface RowProps {
  readonly season: Season;
  readonly isOpen: boolean;
  readonly isChosen: boolean;
  readonly toggle: (number: number) => void;
}

function SeasonRow({ season, isOpen, isChosen, toggle }: RowProps) {
  const standing = isOpen ? undefined : standingOf(season.state, null);
  return (
    <li>
      <label className={`flex min-h-12 items-center gap-3 px-4 ${isOpen ? "hover:bg-sunken" : ""}`}>
        <input type="checkbox" className="size-4 accent-accent" checked={isChosen} disabled={!isOpen} onChange={() => toggle(season.number)} />
        <span className="grow">{say.titles.season(season.number)}</span>
        {standing ? (
          <Badge tone={standing.tone}>{standing.word}</Badge>
        ) : (
          <span className="text-sm text-quiet">{say.titles.episodes(season.episodes)}</span>
        )}
      </label>
    </li>
  );
}
