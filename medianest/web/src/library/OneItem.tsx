import { useParams } from "wouter";
import type { Item, Whole } from "../api/schema";
import { routes } from "../app/routes";
import { say } from "../strings/library";
import { AsOf } from "../ui/AsOf";
import { Back } from "../ui/Back";
import { Badge } from "../ui/Badge";
import { buttonLook } from "../ui/Button";
import { Ghost } from "../ui/Empty";
import { Icon } from "../ui/Icon";
import { Page, Section } from "../ui/Page";
import { Poster } from "../ui/Poster";
import { Loaded } from "../ui/Trouble";
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
  const item = found.data?.item;
  return (
    <Page title={item ? nameOf(item) : say.library.title} seed={item && seedOf(item)} aside={<Back to={routes.library} />}>
      <Loaded asked={found} ghost={<Ghost className="h-80" />}>
        {(whole) => (
          <>
            <AsOf at={whole.as_of} />
            <About item={whole.item} />
            <Inside whole={whole} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function About({ item }: { readonly item: Item }) {
  return (
    <div className="mb-9 grid grid-cols-[7rem_1fr] items-start gap-x-5 gap-y-6 sm:grid-cols-[11rem_1fr] sm:grid-rows-[auto_1fr] md:grid-cols-[15rem_1fr] md:gap-x-9">
      <div className="sm:row-span-2">
        <Poster title={item.title} kind={kindOf(item)} seed={seedOf(item)} ticket={item.poster} />
      </div>
      <div className="min-w-0 max-w-2xl">
        <p className="text-sm text-quiet">{factsOf(item)}</p>
        {item.summary && <p className="mt-3 text-pretty md:text-lg">{item.summary}</p>}
      </div>
      <div className="col-span-2 flex max-w-2xl flex-wrap items-center gap-4 sm:col-span-1 sm:col-start-2">
        {item.watch_url && (
          <a href={item.watch_url} target="_blank" rel="noreferrer" className={buttonLook("strong")}>
            <Icon name="play" />
            {say.library.play}
            <span className="sr-only">{say.newWindow}</span>
          </a>
        )}
        {isSeen(item) && <Badge tone="good">{say.library.seen}</Badge>}
      </div>
    </div>
  );
}

function factsOf(item: Item): string {
  return [
    item.year,
    item.duration_seconds && say.titles.minutes(Math.max(1, Math.round(item.duration_seconds / 60))),
    item.content_rating,
    item.rating && say.library.rating(item.rating),
    item.type === "collection" ? say.library.titlesIn(item.episodes ?? 0) : item.episodes && say.titles.episodes(item.episodes),
    item.genres.join(", "),
  ]
    .filter(Boolean)
    .join(" · ");
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
