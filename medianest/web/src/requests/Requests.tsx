import { Suspense } from "react";
import { Link, useSearchParams } from "wouter";
import { later } from "../app/later";
import { routes } from "../app/routes";
import { useMe } from "../session/useMe";
import { say } from "../strings/requests";
import { buttonLook } from "../ui/Button";
import { CHIP } from "../ui/Chip";
import { Empty, GhostRows } from "../ui/Empty";
import { More } from "../ui/More";
import { Page } from "../ui/Page";
import { Loaded } from "../ui/Trouble";
import { Whose } from "../ui/Whose";
import { RequestRow } from "./RequestRow";
import { useRequests } from "./queries";
import { paramsOf, type Shown, shownOf } from "./shown";
import { FILTERS } from "./states";

const Several = later(() => import("./Several"));

/** Everything one asked for or follows; moderators may look at everybody's. */
export default function Requests() {
  const [params, setParams] = useSearchParams();
  const me = useMe().data;
  const mayModerate = me?.permissions.includes("requests.moderate") ?? false;
  const wanted = shownOf(params);
  const shown = { ...wanted, everybody: wanted.everybody && mayModerate }; // a moderator's link shows others their own
  const show = (now: Shown) => setParams(paramsOf(now), { replace: true });
  const asked = useRequests(shown, !wanted.everybody || me !== undefined);
  return (
    <Page title={say.requests.title} aside={mayModerate && <Whose everybody={shown.everybody} show={(everybody) => show({ ...shown, everybody })} />}>
      <Filters shown={shown} show={show} />
      <Loaded asked={asked} ghost={<GhostRows rows={8} />}>
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items);
          if (items.length === 0) return <NothingHere shown={shown} />;
          return shown.everybody ? (
            <Suspense fallback={<GhostRows rows={8} />}>
              <Several requests={items} />
            </Suspense>
          ) : (
            <ul className="grid gap-2.5 lg:grid-cols-2">
              {items.map((request) => (
                <RequestRow key={request.request} request={request} />
              ))}
            </ul>
          );
        }}
      </Loaded>
      <More list={asked} />
    </Page>
  );
}

interface Choice {
  readonly shown: Shown;
  readonly show: (shown: Shown) => void;
}

function Filters({ shown, show }: Choice) {
  return (
    <div
      role="group"
      aria-label={say.requests.filters}
      className="chips mb-5"
    >
      {[null, ...FILTERS].map((filter) => (
        <button key={filter ?? "all"} type="button" className={CHIP} aria-pressed={shown.filter === filter} onClick={() => show({ ...shown, filter })}>
          {filter ? say.requests.filter[filter] : say.requests.all}
        </button>
      ))}
    </div>
  );
}

function NothingHere({ shown }: { readonly shown: Shown }) {
  if (shown.filter !== null) return <Empty title={say.requests.noneOfThese} />;
  return (
    <Empty title={say.requests.none} hint={say.home.nothingHint}>
      <Link href={routes.discover} className={buttonLook("strong")}>
        {say.home.discover}
      </Link>
    </Empty>
  );
}
