import { Link, useParams } from "wouter";
import { type Kind, useTitle } from "../api/queries";
import type { Detail } from "../api/schema";
import { Lost } from "../app/Lost";
import { requestPath, routes } from "../app/routes";
import { say } from "../strings/discover";
import { Back } from "../ui/Back";
import { Badge } from "../ui/Badge";
import { buttonLook } from "../ui/Button";
import { Ghost } from "../ui/Empty";
import { Page } from "../ui/Page";
import { Poster } from "../ui/Poster";
import { Loaded } from "../ui/Trouble";
import { AskForFilm, AskForSeries } from "./Ask";
import { type Copy, copiesOf } from "./copies";
import { standingOf } from "./standing";

/** One film or series: what it is, how it stands, and the way to ask for it. */
export default function Title() {
  const { kind, tmdb } = useParams();
  if (kind !== "movie" && kind !== "tv") return <Lost />;
  return <Known kind={kind} tmdb={Number(tmdb)} key={`${kind}${tmdb}`} />;
}

function Known({ kind, tmdb }: { readonly kind: Kind; readonly tmdb: number }) {
  const found = useTitle(kind, tmdb);
  return (
    <Page title={found.data?.title.title ?? say.loading} seed={tmdb} aside={<Back to={routes.discover} />}>
      <Loaded asked={found} ghost={<Ghost className="h-80" />}>
        {(detail) => <Whole detail={detail} />}
      </Loaded>
    </Page>
  );
}

function Whole({ detail }: { readonly detail: Detail }) {
  const { title } = detail;
  const [usual, in4k] = copiesOf(detail);
  return (
    <div className="grid grid-cols-[7rem_1fr] items-start gap-x-5 gap-y-6 sm:grid-cols-[11rem_1fr] sm:grid-rows-[auto_1fr] md:grid-cols-[15rem_1fr] md:gap-x-9">
      <div className="sm:row-span-2">
        <Poster title={title.title} kind={say.kind[title.kind]} seed={title.tmdb} />
      </div>
      <div className="min-w-0 max-w-2xl">
        <p className="text-sm text-quiet">
          {[title.year, title.runtime_minutes && say.titles.minutes(title.runtime_minutes), title.genres.join(", ")]
            .filter(Boolean)
            .join(" · ")}
        </p>
        <p className="mt-3 text-pretty md:text-lg">{title.overview}</p>
      </div>
      <div className="col-span-2 max-w-2xl sm:col-span-1 sm:col-start-2">
        {usual && <OneCopy copy={usual} />}
        {in4k && (
          <details className="mt-8 border-t border-line pt-3" open={in4k.requested?.mine ?? false}>
            <summary className="min-h-9 cursor-pointer text-sm font-semibold text-quiet">{say.discover.in4k}</summary>
            <div className="mt-3">
              <OneCopy copy={in4k} />
            </div>
          </details>
        )}
      </div>
    </div>
  );
}

/** How a copy of the title stands, and the way to ask for it. */
function OneCopy({ copy }: { readonly copy: Copy }) {
  const { title, requested } = copy;
  const standing = standingOf(title.state, requested);
  return (
    <>
      {standing && (
        <div className="mb-4 flex items-center gap-4">
          <Badge tone={standing.tone}>{standing.word}</Badge>
          {requested?.request && (
            <Link href={requestPath(requested.request)} className={buttonLook("plain")}>
              {say.requests.where}
            </Link>
          )}
        </div>
      )}
      {title.kind === "movie" ? <AskForFilm copy={copy} /> : <AskForSeries copy={copy} />}
    </>
  );
}
