import { QueryClient, QueryClientProvider, useQueryClient } from "@tanstack/react-query";
import { Suspense, useEffect, useState } from "react";
import { Route, Switch, useLocation } from "wouter";
import { askAgain, pauseMs, tryOnceMore } from "../api/again";
import { whenBehind } from "../api/seen";
import { Home } from "../home/Home";
import { useMe } from "../session/useMe";
import { Boundary } from "./Boundary";
import { Elsewhere } from "./Elsewhere";
import { later } from "./later";
import { Opening } from "./Opening";
import { routes } from "./routes";
import { Shell } from "./Shell";

const Discover = later(() => import("../discover/Discover"));
const Title = later(() => import("../discover/Title"));
const Library = later(() => import("../library/Library"));
const OneItem = later(() => import("../library/OneItem"));
const Requests = later(() => import("../requests/Requests"));
const Downloads = later(() => import("../downloads/Downloads"));
const Inbox = later(() => import("../notices/Inbox"));
const Help = later(() => import("../help/Help"));
const Services = later(() => import("../home/Services"));
const Devices = later(() => import("../session/Devices"));
const Admin = later(() => import("../admin/Admin"));
const Request = later(() => import("../requests/Request"));

/** All that one person sees. What was answered is theirs alone: nothing of it is left for whoever comes next. */
export default function SignedIn() {
  const [queries] = useState(noAnswersYet);
  useEffect(() => whenBehind(() => void queries.invalidateQueries()), [queries]);
  return (
    <QueryClientProvider client={queries}>
      <Pages />
    </QueryClientProvider>
  );
}

function noAnswersYet(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // What the stream tells about is read again when it says so; the rest, when somebody comes back to it.
        retry: tryOnceMore,
        retryDelay: pauseMs,
        refetchInterval: ({ state }) => askAgain(state),
        staleTime: 5_000,
      },
      mutations: { networkMode: "always" }, // without a network it fails at once: nothing is shown as granted and sent some day
    },
  });
}

function Pages() {
  useStream();
  const [at] = useLocation();
  return (
    <Shell>
      <Boundary at={at}>
        <Suspense fallback={<Opening />}>
          <Switch>
            <Route path={routes.home} component={Home} />
            <Route path={routes.signIn} component={Home} />
            <Route path={routes.discover} component={Discover} />
            <Route path={routes.title} component={Title} />
            <Route path={routes.library} component={Library} />
            <Route path={routes.item} component={OneItem} />
            <Route path={routes.libraryOf} component={Library} />
            <Route path={routes.requests} component={Requests} />
            <Route path={routes.request} component={Request} />
            <Route path={routes.downloads} component={Downloads} />
            <Route path={routes.notices} component={Inbox} />
            <Route path={routes.services} component={Services} />
            <Route path={routes.help} component={Help} />
            <Route path={routes.devices} component={Devices} />
            <Route path={routes.admin} component={Admin} />
            <Route path={routes.adminPage} component={Admin} />
            <Route component={Elsewhere} />
          </Switch>
        </Suspense>
      </Boundary>
    </Shell>
  );
}

const FIRST_PAGE_MS = 3_000;
const PICTURES_MS = 800; // those in sight come right after what names them

/** Once the first page has what it shows, or has waited long for it: the stream does not take the line from it. */
function firstPage(queries: QueryClient): Promise<void> {
  return new Promise((over) => {
    const end = () => {
      stop();
      clearTimeout(timer);
      setTimeout(over, PICTURES_MS);
    };
    const stop = queries.getQueryCache().subscribe(() => queries.isFetching() === 0 && end());
    const timer = setTimeout(end, FIRST_PAGE_MS);
  });
}

const AGAIN_MS = 3_000;

/** The code of the stream; where there is no network just then, when there is one, for as long as the page wants it. */
async function streamCode(isOver: () => boolean): Promise<typeof import("../live/follow") | undefined> {
  while (!isOver()) {
    const code = await import("../live/follow").catch(() => undefined);
    if (code) return code;
    await new Promise((done) => setTimeout(done, AGAIN_MS));
  }
  return undefined;
}

/** Follows the events while somebody is signed in: from where what was read first ends. */
function useStream(): void {
  const queries = useQueryClient();
  const me = useMe().data;
  const isStaff = me?.permissions.includes("requests.moderate");
  useEffect(() => {
    if (isStaff === undefined) return;
    let stop: (() => void) | undefined;
    let over = false;
    void firstPage(queries)
      .then(() => streamCode(() => over))
      .then((code) => {
        if (!over) stop = code?.follow(queries, isStaff);
      });
    return () => {
      over = true;
      stop?.();
    };
  }, [queries, isStaff]);
}
