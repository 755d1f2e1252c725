import { Link, useParams } from "wouter";
import type { Detail } from "../api/schema";
import { Lost } from "../app/Lost";
import { requestPath, routes } from "../app/routes";
import { say } from "../strings/discover";
import { AsOf } from "../ui/AsOf";
import { Back } from "../ui/Back";
import { Badge } from "../ui/Badge";
import { buttonLook } from "../ui/Button";
import { type About, TitlePage } from "../ui/TitlePage";
import { AskForFilm, AskForSeries } from "./Ask";
import { type Copy, copiesOf } from "./copies";
import { type Kind, useTitle } from "./queries";
import { standingOf } from "./standing";

/** One film or series: what it is, how it stands, and the way to ask for it. */
export default function Title() {
  const { kind, tmdb } = useParams();
  if (kind !== "movie" && kind !== "tv") return <Lost />;
  return <Known kind={kind} tmdb={Number(tmdb)} key={`${kind}${tmdb}`} />;
}

function Known({ kind, tmdb }: { readonly kind: Kind; readonly tmdb: number }) {
  const found = useTitle(kind, tmdb);
  return <TitlePage name={say.discover.title} back={<Back to={routes.discover} />} asked={found} about={aboutOf} acts={(detail) => <Copies detail={detail} />} />;
}

function aboutOf({ title }: Detail): About {
  const { kind, tmdb, year, runtime_minutes: minutes, genres, overview } = title;
  const facts = [say.kind[kind], year, minutes && say.titles.minutes(minutes), genres.join(", ")];
  return { title: title.title, kind: say.kind[kind], seed: tmdb, poster: { kind, tmdb }, backdrop: { kind, tmdb }, facts, words: overview };
}

function Copies({ detail }: { readonly detail: Detail }) {
  const [usual, in4k] = copiesOf(detail);
  return (
    <>
      <AsOf told={detail} of="Seerr" />
      {usual && <OneCopy copy={usual} />}
      {in4k && (
        <details className="mt-8 border-t border-line pt-3" open={in4k.requested?.mine ?? false}>
          <summary className="min-h-9 cursor-pointer text-sm font-semibold text-quiet">{say.discover.in4k}</summary>
          <div className="mt-3">
            <OneCopy copy={in4k} />
          </div>
        </details>
      )}
    </>
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
