import { useParams } from "wouter";
import type { Item, Whole } from "../api/schema";
import { routes } from "../app/routes";
import { say } from "../strings/library";
import { AsOf } from "../ui/AsOf";
import { Back } from "../ui/Back";
import { Badge } from "../ui/Badge";
import { buttonLook } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { Section } from "../ui/Page";
import { type About, TitlePage } from "../ui/TitlePage";
import { Episodes } from "./Episodes";
import { ItemCard } from "./ItemCard";
import { isSeen, kindOf, nameOf, seedOf } from "./items";
import { useItem } from "./queries";

/** One film, show, season, episode or collection of the library, and the way to watch it. */
export default function OneItem() {
  const { item = "" } = useParams();
  return <Known key={item} ratingKey={item} />;
}

function Known({ ratingKey }: { readonly ratingKey: string }) {
  const found = useItem(ratingKey);
  return (
    <TitlePage name={say.library.title} back={<Back to={routes.library} />} asked={found} about={aboutOf} acts={(whole) => <Watch whole={whole} />}>
      {found.data && <Inside whole={found.data} />}
    </TitlePage>
  );
}

function aboutOf({ item }: Whole): About {
  return {
    title: nameOf(item),
    kind: kindOf(item),
    seed: seedOf(item),
    poster: item.poster ? { ticket: item.poster } : null,
    backdrop: item.backdrop ? { ticket: item.backdrop } : null,
    facts: factsOf(item),
    words: item.summary,
  };
}

function Watch({ whole: { item, ...told } }: { readonly whole: Whole }) {
  return (
    <>
      <AsOf told={told} />
      <div className="flex flex-wrap items-center gap-4">
        {item.watch_url && (
          <a href={item.watch_url} target="_blank" rel="noreferrer" className={buttonLook("strong")}>
            <Icon name="play" />
            {say.library.play}
            <span className="sr-only">{say.newWindow}</span>
          </a>
        )}
        {isSeen(item) && <Badge tone="good">{say.library.seen}</Badge>}
      </div>
    </>
  );
}

function factsOf(item: Item): About["facts"] {
  return [
    item.year,
    item.duration_seconds && say.titles.minutes(Math.max(1, Math.round(item.duration_seconds / 60))),
    item.content_rating,
    item.rating && say.library.rating(item.rating),
    item.type === "collection" ? say.library.titlesIn(item.episodes ?? 0) : item.episodes && say.titles.episodes(item.episodes),
    item.genres.join(", "),
  ];
}

function Inside({ whole: { item, inside } }: { readonly whole: Whole }) {
  if (inside.length === 0) return null;
  if (item.type === "season")
    return (
      <Section title={say.library.episodes}>
        <Episodes items={inside} />
      </Section>
    );
  return (
    <Section title={item.type === "show" ? say.titles.seasons : say.library.inCollection}>
      <ul className="shelf">
        {inside.map((one) => (
          <ItemCard key={one.rating_key} item={one} {...(one.type === "season" && { title: say.titles.season(one.number ?? 0) })} />
        ))}
      </ul>
    </Section>
  );
}
