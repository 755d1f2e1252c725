import { Link } from "wouter";
import { useDashboard, useNewInPlex } from "../api/queries";
import type { Dashboard } from "../api/schema";
import { routes } from "../app/routes";
import { say } from "../strings/house";
import { AsOf } from "../ui/AsOf";
import { buttonLook } from "../ui/Button";
import { Empty, Ghost } from "../ui/Empty";
import { Page, Section } from "../ui/Page";
import { Loaded } from "../ui/Trouble";
import { DownloadRow } from "../downloads/DownloadRow";
import { Announcements, useAnnounced } from "./Announcements";
import { PlexShelf } from "./PlexShelf";
import { QuickLinks } from "./QuickLinks";
import { RequestRow } from "../requests/RequestRow";
import { ServiceTiles } from "./ServiceTiles";

/** What is on its way to me, what is up, and what is new. */
export function Home() {
  const dashboard = useDashboard();
  const fresh = useNewInPlex();
  const isTold = !useAnnounced().isPending;
  return (
    <Page title={say.home.title}>
      {/* Nothing comes in above what one reads already. */}
      {dashboard.isPending || !isTold ? (
        <Opening />
      ) : (
        <>
          <Announcements />
          <Loaded asked={dashboard} ghost={<Ghost className="mb-10 h-52" />}>
            {(found) => (
              <>
                <Section title={say.home.onItsWay} aside={<AllRequests />}>
                  <OnItsWay found={found} />
                </Section>
                <Section title={say.home.services}>
                  <ServiceTiles services={found.services} />
                </Section>
              </>
            )}
          </Loaded>
          <Section title={say.home.newInPlex}>
            <Loaded asked={fresh} ghost={<Ghost className="h-dvh" />}>
              {({ items, as_of: asOf }) => (
                <>
                  <AsOf at={asOf} />
                  {items.length === 0 ? <Empty title={say.home.nothingNew} /> : <PlexShelf items={items} />}
                </>
              )}
            </Loaded>
          </Section>
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
      <Ghost className="mb-10 h-52" />
      <Ghost className="h-52" />
    </div>
  );
}

function OnItsWay({ found }: { readonly found: Dashboard }) {
  if (found.requests.length + found.downloads.length === 0)
    return (
      <Empty title={say.home.nothing} hint={say.home.nothingHint}>
        <Link href={routes.discover} className={buttonLook("strong")}>
          {say.home.discover}
        </Link>
      </Empty>
    );
  return (
    <ul className="grid gap-2.5 lg:grid-cols-2">
      {found.requests.map((request) => (
        <RequestRow key={request.request} request={request} />
      ))}
      {found.downloads.map((download) => (
        <DownloadRow key={download.download} download={download} />
      ))}
    </ul>
  );
}

function AllRequests() {
  return (
    <Link href={routes.requests} className="text-sm text-quiet underline-offset-4 hover:text-ink hover:underline">
      {say.home.allRequests}
    </Link>
  );
}
