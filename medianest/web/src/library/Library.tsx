import { Link, useParams, useSearchParams } from "wouter";
import type { ItemPage, Library as Section } from "../api/schema";
import { libraryPath } from "../app/routes";
import { say } from "../strings/library";
import { AsOf } from "../ui/AsOf";
import { CHIP } from "../ui/Chip";
import { Empty, Ghost, GhostShelf } from "../ui/Empty";
import { More } from "../ui/More";
import { Page } from "../ui/Page";
import { Loaded } from "../ui/Trouble";
import { Filters } from "./Filters";
import { ItemCard } from "./ItemCard";
import { useCollections, useItems, useLibraries } from "./queries";
import { paramsOf, type Wanted, wantedOf } from "./wanted";

/** What is in Plex, a library at a time. */
export default function Library() {
  const { library } = useParams();
  const libraries = useLibraries();
  const [params] = useSearchParams();
  const here = libraries.data?.items.find(({ key }) => library === undefined || key === library);
  return (
    <Page title={titleOf(here, wantedOf(params).collections)}>
      <Loaded asked={libraries} ghost={<Opening />}>
        {({ items }) => {
          if (items.length === 0) return <Empty title={say.library.none} hint={say.library.noneHint} />;
          return (
            <>
              <Sections items={items} here={here} />
              {here ? <Shelf key={here.key} library={here.key} /> : <Empty title={say.library.gone} hint={say.library.goneHint} />}
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}

function Opening() {
  return (
    <>
      <Ghost className="mt-1 mb-5 h-9 w-60 rounded-full!" />
      <Ghost className="mb-6 h-9 w-80 max-w-full rounded-full!" />
      <GhostShelf />
    </>
  );
}

function titleOf(here: Section | undefined, isOfCollections: boolean): string {
  if (here === undefined) return say.library.title;
  return isOfCollections ? say.library.collectionsIn(here.title) : here.title;
}

function Sections({ items, here }: { readonly items: readonly Section[]; readonly here: Section | undefined }) {
  return (
    <nav aria-label={say.library.title} className="chips mb-4">
      {items.map(({ key, title }) => (
        <Link key={key} href={libraryPath(key)} className={`${CHIP} inline-flex items-center`} {...(key === here?.key && { "aria-current": "page" as const })}>
          <span dir="auto" className="max-w-[70vw] truncate">
            {title}
          </span>
        </Link>
      ))}
    </nav>
  );
}

function Shelf({ library }: { readonly library: string }) {
  const [params, setParams] = useSearchParams();
  const wanted = wantedOf(params);
  const want = (change: Partial<Wanted>) => setParams(paramsOf({ ...wanted, ...change }), { replace: true });
  return (
    <>
      <Filters library={library} wanted={wanted} want={want} />
      {wanted.collections ? <Collections library={library} /> : <Titles library={library} wanted={wanted} />}
    </>
  );
}

function Titles({ library, wanted }: { readonly library: string; readonly wanted: Wanted }) {
  const asked = useItems(library, wanted);
  return (
    <>
      <Loaded asked={asked} ghost={<GhostShelf />}>
        {({ pages }) => <Pages pages={pages} isOld={asked.isPlaceholderData} />}
      </Loaded>
      <More list={asked} />
    </>
  );
}

function Pages({ pages, isOld }: { readonly pages: readonly ItemPage[]; readonly isOld: boolean }) {
  const items = pages.flatMap((page) => page.items);
  return (
    <>
      <AsOf told={pages[0]} />
      <p role="status" className="mb-3 text-sm text-quiet">
        {isOld ? say.loading : say.library.count(pages[0]?.total ?? 0)}
      </p>
      {items.length === 0 ? (
        <Empty title={say.library.nothing} hint={say.library.nothingHint} />
      ) : (
        <ul className={`shelf transition-opacity ${isOld ? "opacity-60" : ""}`}>
          {items.map((item) => (
            <ItemCard key={item.rating_key} item={item} />
          ))}
        </ul>
      )}
    </>
  );
}

function Collections({ library }: { readonly library: string }) {
  return (
    <Loaded asked={useCollections(library)} ghost={<GhostShelf />}>
      {({ items, ...told }) => (
        <>
          <AsOf told={told} />
          {items.length === 0 ? (
            <Empty title={say.library.noCollections} hint={say.library.noCollectionsHint} />
          ) : (
            <ul className="shelf">
              {items.map((item) => (
                <ItemCard key={item.rating_key} item={item} />
              ))}
            </ul>
          )}
        </>
      )}
    </Loaded>
  );
}
