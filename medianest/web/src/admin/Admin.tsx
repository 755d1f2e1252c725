import { type ComponentType, Suspense } from "react";
import { Link, Redirect, useParams } from "wouter";
import { later } from "../app/later";
import { Lost } from "../app/Lost";
import { useMe } from "../session/useMe";
import { say } from "../strings/house";
import { CHIP } from "../ui/Chip";
import { Ghost } from "../ui/Empty";
import { Page } from "../ui/Page";
import { type Place, placesOf } from "./places";

const PAGES: Readonly<Record<string, ComponentType>> = {
  "/admin/people": later(() => import("./People")),
  "/admin/board": later(() => import("./board/Board")),
  "/admin/audit": later(() => import("./audit/Audit")),
  "/admin/past": later(() => import("./past/Past")),
  "/admin/system": later(() => import("./System")),
  "/admin/seerr": later(() => import("./SeerrSide")),
  "/admin/webhooks": later(() => import("./webhooks/Webhooks")),
  "/admin/monitoring": later(() => import("./Monitoring")),
  "/admin/settings": later(() => import("./Settings")),
};

/** What admins look after, a page each; nobody sees what they may not use. */
export default function Admin() {
  const { page } = useParams();
  const me = useMe().data;
  if (me === undefined) return <p className="page text-quiet" role="status">{say.loading}</p>;
  const places = placesOf(me);
  const [first] = places;
  if (first === undefined) return <Lost />;
  if (page === undefined) return <Redirect to={first.path} replace />;
  const here = places.find(({ path }) => path === `/admin/${page}`);
  const Shown = here && PAGES[here.path];
  if (here === undefined || Shown === undefined) return <Lost />;
  return (
    <Page title={here.name} key={here.path}>
      <Places places={places} here={here} />
      <Suspense fallback={<Ghost className="h-96" />}>
        <Shown />
      </Suspense>
    </Page>
  );
}

function Places({ places, here }: { readonly places: readonly Place[]; readonly here: Place }) {
  return (
    <nav aria-label={say.nav.admin} className="chips mb-6">
      {places.map(({ path, name }) => (
        <Link key={path} href={path} className={`${CHIP} inline-flex items-center`} {...(path === here.path && { "aria-current": "page" as const, ref: bringIntoSight })}>
          {name}
        </Link>
      ))}
    </nav>
  );
}

/** There are more places than a phone is wide: the one where one is must not be out of sight. */
function bringIntoSight(link: HTMLAnchorElement | null): void {
  const row = link?.parentElement;
  if (link && row) row.scrollLeft = link.offsetLeft - row.offsetLeft - (row.clientWidth - link.offsetWidth) / 2;
}
