import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { useSearchParams } from "wouter";
import { useNewInPlex } from "../home/queries";
import type { Found } from "../api/schema";
import { routes } from "../app/routes";
import { DownloadList } from "../downloads/DownloadList";
import { useDownloadSearch } from "../downloads/queries";
import { PlexShelf } from "../home/PlexShelf";
import { say } from "../strings/discover";
import { AsOf } from "../ui/AsOf";
import { Empty, GhostShelf } from "../ui/Empty";
import { Icon } from "../ui/Icon";
import { Page, Section } from "../ui/Page";
import { Loaded, useFailure } from "../ui/Trouble";
import { TitleCard } from "./TitleCard";
import { usePlexSearch, useSearch, useTrending } from "./queries";

const TYPING_MS = 250; // who types on is not done

/** One box for everything there is: what may be asked for, and what is in Plex. */
export default function Discover() {
  const [params, setParams] = useSearchParams();
  const asked = params.get("q") ?? "";
  const [typed, type] = useState(asked);
  const [before, remember] = useState(asked);
  if (asked !== before) {
    remember(asked);
    if (asked !== typed.trim()) type(asked); // not typed here: by going back, or to this page anew
  }
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    // Elsewhere a keyboard of glass would come up over what there is to see.
    if (matchMedia("(pointer: fine)").matches) field.current?.focus({ preventScroll: true });
  }, []);
  useEffect(() => {
    const wanted = typed.trim();
    if (wanted === asked) return;
    const timer = setTimeout(() => {
      // Whoever has gone on to a title is not called back, though this is still there until the code of that has come.
      if (location.pathname === routes.discover) setParams(wanted ? { q: wanted } : {}, { replace: true });
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, asked, setParams]);
  return (
    <Page title={say.discover.title}>
      <form role="search" className="relative mb-8" onSubmit={(event) => event.preventDefault()}>
        <Icon name="discover" className="pointer-events-none absolute top-1/2 left-4 size-5 -translate-y-1/2 text-quiet" />
        <input
          ref={field}
          type="search"
          value={typed}
          aria-label={say.discover.label}
          placeholder={say.discover.placeholder}
          className="h-13 w-full rounded-xl border border-line bg-raised pr-4 pl-12 text-lg placeholder:text-quiet"
          onChange={(event) => type(event.target.value)}
        />
      </form>
      {asked === "" ? <BeforeAsking /> : <Results query={asked} />}
    </Page>
  );
}

/** What many look at, and what Plex has of late, for who does not know yet what to look for. */
function BeforeAsking() {
  const items = useNewInPlex().data?.items ?? [];
  const trending = useTrending();
  return (
    <>
      <Section title={say.discover.trending}>
        <Loaded asked={trending} ghost={<GhostShelf />}>
          {({ results }) => <Titles titles={results} />}
        </Loaded>
      </Section>
      {items.length > 0 && (
        <Section title={say.home.newInPlex}>
          <PlexShelf items={items} className="reel" />
        </Section>
      )}
    </>
  );
}

function Results({ query }: { readonly query: string }) {
  const titles = useSearch(query);
  return (
    <>
      <Section title={say.discover.results}>
        <Loaded asked={titles} ghost={<GhostShelf />}>
          {({ results, ...told }) => (
            <>
              <AsOf told={told} of="Seerr" />
              <Answer query={query} results={results} isOld={titles.isPlaceholderData} />
            </>
          )}
        </Loaded>
      </Section>
      <InPlex query={query} without={titles.data?.results ?? []} />
      <MyVideos query={query} />
    </>
  );
}

function Answer({ query, results, isOld }: { readonly query: string; readonly results: readonly Found[]; readonly isOld: boolean }) {
  return (
    <>
      <p role="status" className="sr-only">
        {isOld ? "" : say.discover.count(results.length)}
      </p>
      {results.length === 0 && !isOld ? <Empty title={say.discover.none(query)} hint={say.discover.noneHint} /> : <Titles titles={results} isOld={isOld} />}
    </>
  );
}

function Titles({ titles, isOld = false }: { readonly titles: readonly Found[]; readonly isOld?: boolean }) {
  return (
    <ul className={`shelf transition-opacity ${isOld ? "opacity-60" : ""}`}>
      {titles.map((title) => (
        <TitleCard key={`${title.kind}${title.tmdb}`} found={title} />
      ))}
    </ul>
  );
}

/** What only Plex knows: films and series are among the titles already. */
function InPlex({ query, without }: { readonly query: string; readonly without: readonly Found[] }) {
  const asked = usePlexSearch(query);
  const items = (asked.data?.items ?? []).filter((item) => !without.some((title) => title.tmdb === item.tmdb));
  const failure = useFailure(asked);
  if (items.length === 0 && !failure) return null;
  return (
    <Section title={say.discover.inPlex}>
      <Loaded asked={asked} ghost={null}>
        {(found) => (
          <>
            <AsOf told={found} />
            <PlexShelf items={items} />
          </>
        )}
      </Loaded>
    </Section>
  );
}

/** The videos I sent to the server myself. */
function MyVideos({ query }: { readonly query: string }) {
  const asked = useDownloadSearch(query);
  const failure = useFailure(asked);
  if (asked.data?.items.length === 0 || (!asked.data && !failure)) return null;
  return (
    <Section title={say.discover.myVideos}>
      <Loaded asked={asked} ghost={null}>
        {({ items }) => <DownloadList downloads={items} />}
      </Loaded>
    </Section>
  );
}
