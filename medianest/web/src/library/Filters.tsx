import type { ReactNode } from "react";
import { say } from "../strings/library";
import { CHIP } from "../ui/Chip";
import { useGenres, useYears } from "./queries";
import { type Order, ORDERS, type Wanted } from "./wanted";

interface FiltersProps {
  readonly library: string;
  readonly wanted: Wanted;
  readonly want: (change: Partial<Wanted>) => void;
}

/** How a library is looked at: titles or collections, in which order, and which of them. */
export function Filters({ library, wanted, want }: FiltersProps) {
  return (
    <div role="group" aria-label={say.library.filters} className="chips mb-5">
      {[false, true].map((collections) => (
        <button key={String(collections)} type="button" className={CHIP} aria-pressed={wanted.collections === collections} onClick={() => want({ collections })}>
          {collections ? say.library.collections : say.library.titles}
        </button>
      ))}
      {!wanted.collections && <OfTitles library={library} wanted={wanted} want={want} />}
    </div>
  );
}

function OfTitles({ library, wanted, want }: FiltersProps) {
  const genres = useGenres(library).data?.items ?? [];
  const known = useYears(library).data?.items ?? [];
  const years = wanted.year === null || known.includes(wanted.year) ? known : [wanted.year, ...known];
  return (
    <>
      <Choice label={say.library.order} value={wanted.order} choose={(order) => want({ order: order as Order })}>
        {ORDERS.map((order) => (
          <option key={order} value={order}>
            {say.library.orders[order]}
          </option>
        ))}
      </Choice>
      <Choice label={say.library.genre} value={wanted.genre} choose={(genre) => want({ genre })}>
        <option value="">{say.library.anyGenre}</option>
        {genres.map(({ key, title }) => (
          <option key={key} value={key}>
            {title}
          </option>
        ))}
      </Choice>
      <Choice label={say.library.year} value={String(wanted.year ?? "")} choose={(year) => want({ year: Number(year) || null })}>
        <option value="">{say.library.anyYear}</option>
        {years.map((year) => (
          <option key={year}>{year}</option>
        ))}
      </Choice>
      <button type="button" className={CHIP} aria-pressed={wanted.unwatched} onClick={() => want({ unwatched: !wanted.unwatched })}>
        {say.library.unwatched}
      </button>
    </>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly choose: (value: string) => void;
  readonly children: ReactNode;
}

function Choice({ label, value, choose, children }: ChoiceProps) {
  return (
    <select aria-label={label} value={value} className={`${CHIP} bg-paper`} onChange={(event) => choose(event.target.value)}>
      {children}
    </select>
  );
}
