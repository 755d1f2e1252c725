import { useState } from "react";
import { Link } from "wouter";
import type { NewRequest } from "../api/schema";
import { itemPath, requestPath } from "../app/routes";
import { say } from "../strings/discover";
import { Button, buttonLook } from "../ui/Button";
import { Trouble } from "../ui/Trouble";
import type { Copy } from "./copies";
import { QuotaLeft } from "./QuotaLeft";
import { SeasonList } from "./SeasonList";
import { useAsk } from "./queries";
import { free } from "./standing";

/** The button for a film; nothing where it is there, or on its way to me. */
export function AskForFilm({ copy }: { readonly copy: Copy }) {
  const { title, requested, is4k } = copy;
  if (title.state === "available") return <InPlex ratingKey={title.plex_rating_key} />;
  if (requested?.mine) return null;
  return (
    <>
      {requested && <p className="mb-3 text-quiet">{say.discover.others}</p>}
      <Asking body={wish(copy, [])} label={requested ? say.discover.follow : is4k ? say.discover.askIn4k : say.discover.ask} />
    </>
  );
}

/** There is nothing to ask for: the way to watch it. */
function InPlex({ ratingKey }: { readonly ratingKey: string | null }) {
  return (
    <>
      <p className="text-quiet">{say.discover.there}</p>
      {ratingKey && (
        <Link href={itemPath(ratingKey)} className={`${buttonLook("strong")} mt-4`}>
          {say.discover.toLibrary}
        </Link>
      )}
    </>
  );
}

/** The seasons to pick from: those that are free are chosen to begin with, but for specials. */
export function AskForSeries({ copy }: { readonly copy: Copy }) {
  const { title } = copy;
  const open = free(title.seasons).map((season) => season.number);
  const [picked, pick] = useState<readonly number[]>(open.filter((number) => number !== 0));
  const chosen = open.filter((number) => picked.includes(number)); // one may be taken while one chooses
  return (
    <>
      <SeasonList seasons={title.seasons} open={open} chosen={chosen} choose={pick} />
      {open.length > 0 && (
        <div className="within-reach">
          <Asking key={open.join()} body={wish(copy, chosen)} label={say.discover.askSeasons(chosen.length, copy.is4k)} disabled={chosen.length === 0} />
        </div>
      )}
    </>
  );
}

function Asking({ body, label, disabled = false }: { readonly body: NewRequest; readonly label: string; readonly disabled?: boolean }) {
  const ask = useAsk();
  if (ask.data ?? ask.isPending) // at once; refused, the button is back, with the reason
    return (
      <div role="status" className="flex min-h-12 flex-wrap items-center gap-3">
        <p className="text-good">{ask.data?.joined ? say.discover.joined : say.discover.asked}</p>
        {ask.data && (
          <Link href={requestPath(ask.data.request)} className={buttonLook("plain")}>
            {say.requests.where}
          </Link>
        )}
      </div>
    );
  return (
    <>
      <Button weight={body.is4k ? "plain" : "strong"} className="min-h-12 w-full sm:w-auto sm:min-w-52" disabled={disabled} onClick={() => ask.mutate(body)}>
        {label}
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

function wish({ title, is4k }: Copy, seasons: readonly number[]): NewRequest {
  return { kind: title.kind, tmdb: title.tmdb, seasons: [...seasons], title: title.title, year: title.year, is4k };
}
