import { useState } from "react";
import { Link } from "wouter";
import { useAsk } from "../api/queries";
import type { Detail, NewRequest, TitleDetail } from "../api/schema";
import { requestPath } from "../app/routes";
import { say } from "../strings";
import { Button, buttonLook } from "../ui/Button";
import { Trouble } from "../ui/Trouble";
import { QuotaLeft } from "./QuotaLeft";
import { SeasonList } from "./SeasonList";
import { free } from "./standing";

/** The button for a film; nothing where it is there, or on its way to me. */
export function AskForFilm({ detail }: { readonly detail: Detail }) {
  const { title, requested, mine } = detail;
  if (title.state === "available") return <p className="text-quiet">{say.discover.there}</p>;
  if (mine) return null;
  return <Asking body={wish(title, [])} label={requested ? say.discover.follow : say.discover.ask} />;
}

/** The seasons to pick from: those that are free are chosen to begin with, but for specials. */
export function AskForSeries({ detail }: { readonly detail: Detail }) {
  const { title } = detail;
  const open = free(title.seasons).map((season) => season.number);
  const [picked, pick] = useState<readonly number[]>(open.filter((number) => number !== 0));
  const chosen = open.filter((number) => picked.includes(number)); // one may be taken while one chooses
  return (
    <>
      <SeasonList seasons={title.seasons} open={open} chosen={chosen} choose={pick} />
      {open.length > 0 && <Asking body={wish(title, chosen)} label={say.discover.askSeasons(chosen.length)} disabled={chosen.length === 0} />}
    </>
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
