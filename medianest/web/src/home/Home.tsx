import { Link } from "wouter";
import type { Dashboard, RequestView } from "../api/schema";
import { routes } from "../app/routes";
import { say } from "../strings/house";
import { AsOf } from "../ui/AsOf";
import { buttonLook } from "../ui/Button";
import { Empty, Ghost, GhostRows, GhostShelf } from "../ui/Empty";
import { Page, Section } from "../ui/Page";
import { Loaded } from "../ui/Trouble";
import { DownloadRow } from "../downloads/DownloadRow";
import { Announcements, useAnnounced } from "./Announcements";
import { PlexShelf } from "./PlexShelf";
import { QuickLinks } from "./QuickLinks";
import { RequestRow } from "../requests/RequestRow";
import { pathOf } from "../requests/shown";
import { ServiceTiles } from "./ServiceTiles";
import { useDashboard, useNewInPlex, useToDecide } from "./queries";

const MOST_ROWS = 6; // the rest is a page away

/** What is on its way to me, what waits for me to decide, what is new, and what is up. */
export function Home() {
  const dashboard = useDashboard();
  const announced = useAnnounced();
  const toDecide = useToDecide();
  return (
    <Page title={say.home.title}>
      {/* Nothing comes in above what one reads already. */}
      {!dashboard.isFetched || !announced.isFetched || toDecide.isLoading ? (
        <Opening />
      ) : (
        <>
          <Announcements />
          <Loaded asked={dashboard} ghost={null}>
            {(found) => (
              <Section title={say.home.onItsWay} aside={<Aside to={routes.requests}>{say.home.allRequests}</Aside>}>
                <OnItsWay found={found} />
              </Section>
            )}
          </Loaded>
          <ToDecide requests={toDecide.data?.items ?? []} />
          <NewInPlex />
          {dashboard.data && (
            <Section title={say.home.services} aside={<Aside to={routes.services}>{say.home.incidents}</Aside>}>
              <ServiceTiles services={dashboard.data.services} />
            </Section>
          )}
          <QuickLinks />
        </>
      )}
    </Page>
  );
}

function Opening() {
  return (
    <div role="status">
      <span className="sr-only">{say.loading}</span>
      <Ghost className="mb-3 h-6 w-32" />
      <GhostRows />
      <Ghost className="mt-10 mb-3 h-6 w-32" />
      <GhostShelf className="reel overflow-hidden!" />
    </div>
  );
}

function NewInPlex() {
  const fresh = useNewInPlex();
  return (
    <Section title={say.home.newInPlex} aside={<Aside to={routes.library}>{say.home.browse}</Aside>}>
      <Loaded asked={fresh} ghost={<GhostShelf className="reel overflow-hidden!" />}>
        {({ items, ...told }) => (
          <>
            <AsOf told={told} />
            {items.length === 0 ? <Empty title={say.home.nothingNew} hint={say.home.nothingNewHint} /> : <PlexShelf items={items} className="reel" />}
          </>
        )}
      </Loaded>
    </Section>
  );
}

function OnItsWay({ found: { requests, downloads } }: { readonly found: Dashboard }) {
  if (requests.length + downloads.length === 0)
    return (
      <Empty title={say.home.nothing} hint={say.home.nothingHint}>
        <Link href={routes.discover} className={buttonLook("strong")}>
          {say.home.discover}
        </Link>
      </Empty>
    );
  const rows = [
    ...requests.map((request) => <RequestRow key={request.request} request={request} />),
    ...downloads.map((download) => <DownloadRow key={download.download} download={download} />),
  ];
  const more = rows.length - MOST_ROWS;
  return (
    <>
      <ul className="grid gap-2.5 lg:grid-cols-2">{rows.slice(0, MOST_ROWS)}</ul>
      {more > 0 && <p className="mt-3 text-sm text-quiet">{say.home.andMore(more)}</p>}
    </>
  );
}

/** What needs a moderator's word: whoever asked waits for it. */
function ToDecide({ requests }: { readonly requests: readonly RequestView[] }) {
  if (requests.length === 0) return null;
  return (
    <Section title={say.home.toDecide} aside={<Aside to={pathOf({ filter: "approval", everybody: true })}>{say.home.allToDecide}</Aside>}>
      <ul className="grid gap-2.5 lg:grid-cols-2">
        {requests.map((request) => (
          <RequestRow key={request.request} request={request} />
        ))}
      </ul>
    </Section>
  );
}

function Aside({ to, children }: { readonly to: string; readonly children: string }) {
  return (
    <Link href={to} className="-my-1 inline-block shrink-0 py-1 text-sm text-quiet underline-offset-4 hover:text-ink hover:underline">
      {children}
    </Link>
  );
}
