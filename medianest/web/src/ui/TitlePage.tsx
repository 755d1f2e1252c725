import type { ReactNode } from "react";
import { Ghost } from "./Empty";
import { BellOnPhones, Heading } from "./Page";
import { Picture, type Source } from "./Picture";
import { Poster } from "./Poster";
import { hueOf } from "./hue";
import { type Asked, Loaded, Trouble, useFailure } from "./Trouble";

/** What a page of one title shows of it before all else. */
export interface About {
  readonly title: string;
  readonly kind: string;
  readonly seed: number; // of the drawn poster, and of the glow
  readonly poster: Source | null;
  readonly backdrop: Source | null;
  readonly facts: readonly (string | number | false | null | undefined)[];
  readonly words?: ReactNode;
}

interface TitlePageProps<Data> {
  readonly name: string; // of the page, until the title is known
  readonly back: ReactNode;
  readonly asked: Asked<Data>;
  readonly about: (data: Data) => About;
  readonly acts: (data: Data) => ReactNode; // what may be done about it
  readonly children?: ReactNode;
}

/** The page of one title: its backdrop, its poster, what it is, and what may be done about it. */
export function TitlePage<Data>({ name, back, asked, about, acts, children }: TitlePageProps<Data>) {
  const told = asked.data && about(asked.data);
  const failure = useFailure(asked);
  return (
    <div className="page">
      {told && <Backdrop seed={told.seed} of={told.backdrop} />}
      <div className="mb-12 -ml-3 flex items-center justify-between md:mb-24">
        {back}
        <BellOnPhones />
      </div>
      {failure ? (
        <>
          <Heading title={name} className="mb-5 text-2xl" />
          <Trouble error={failure} retry={() => void asked.refetch()} />
        </>
      ) : (
        <div className="mb-10 grid grid-cols-[7rem_1fr] items-start gap-x-5 gap-y-6 sm:grid-cols-[11rem_1fr] sm:grid-rows-[auto_1fr] md:grid-cols-[15rem_1fr] md:gap-x-9">
          <div className="sm:row-span-2">{told ? <BigPoster about={told} /> : <Ghost className="aspect-2/3" />}</div>
          <div className="min-w-0 max-w-2xl">
            <Heading title={told?.title ?? name} className={told ? sizeOf(told.title) : "sr-only"} />
            {told ? <Facts about={told} /> : <Ghost className="h-9 w-3/4" />}
          </div>
          <div className="col-span-2 max-w-2xl sm:col-span-1 sm:col-start-2">
            <Loaded asked={asked} ghost={<Ghost className="h-24" />}>
              {acts}
            </Loaded>
          </div>
        </div>
      )}
      {children}
    </div>
  );
}

const LONG = 40; // letters

function sizeOf(title: string): string {
  return title.length > LONG ? "text-lg md:text-2xl" : "text-2xl md:text-4xl";
}

function BigPoster({ about: { title, kind, seed, poster } }: { readonly about: About }) {
  return (
    <div className="rounded-lg shadow-2xl shadow-black/40">
      <Poster title={title} kind={kind} seed={seed} of={poster} size="large" />
    </div>
  );
}

function Facts({ about: { facts, words } }: { readonly about: About }) {
  return (
    <>
      <p className="mt-1.5 text-sm text-quiet">{facts.filter(Boolean).join(" · ")}</p>
      {words && <div className="mt-3 text-pretty md:text-lg">{words}</div>}
    </>
  );
}

/** Its backdrop, faded into the page; before that, or without one, a glow of the poster's colour. */
function Backdrop({ seed, of }: { readonly seed: number; readonly of: Source | null }) {
  const glow = `radial-gradient(55% 100% at 22% 0%, oklch(0.6 0.12 ${hueOf(seed)} / 0.22), transparent)`;
  return (
    <div aria-hidden="true" className="pointer-events-none absolute inset-x-0 top-0 -z-10 h-80 md:h-120" style={{ backgroundImage: glow }}>
      {of && (
        <div className="backdrop absolute inset-0">
          <Picture of={of} size="backdrop" />
        </div>
      )}
    </div>
  );
}
