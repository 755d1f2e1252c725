import { useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useEffect } from "react";
import { Link, Route, Switch, useRoute } from "wouter";
import { say } from "../strings";
import { useMe } from "../api/queries";
import { useSession } from "../session/session";
import { SignIn } from "../session/SignIn";
import { Home } from "../home/Home";
import { buttonLook } from "../ui/Button";
import { Boundary } from "./Boundary";
import { Lost } from "./Lost";
import { routes } from "./routes";
import { Shell } from "./Shell";

const Discover = lazy(() => import("../discover/Discover"));
const Title = lazy(() => import("../discover/Title"));
const Library = lazy(() => import("../library/Library"));
const OneItem = lazy(() => import("../library/OneItem"));
const Requests = lazy(() => import("../requests/Requests"));
const Downloads = lazy(() => import("../downloads/Downloads"));
const Inbox = lazy(() => import("../notices/Inbox"));
const Help = lazy(() => import("../help/Help"));
const Devices = lazy(() => import("../session/Devices"));
const Admin = lazy(() => import("../admin/Admin"));
const Request = lazy(() => import("../requests/Request"));

export function App() {
  const session = useSession();
  const queries = useQueryClient();
  const isOut = session.state === "out";
  useEffect(() => {
    if (isOut) queries.clear(); // nothing of one person is left for the next
  }, [isOut, queries]);

  if (session.state === "unknown") return <p className="sr-only" role="status">{say.loading}</p>;
  if (session.state === "out") return <SignedOut ended={session.ended} />;
  return <SignedIn key={session.account} />;
}

function SignedOut({ ended }: { readonly ended: boolean }) {
  const [isHelp] = useRoute(routes.help);
  if (!isHelp) return <SignIn ended={ended} />;
  return (
    <main>
      <Suspense fallback={<Opening />}>
        <Help />
      </Suspense>
      <p className="page pt-0!">
        <Link href={routes.home} className={buttonLook("strong")}>
          {say.signIn.title}
        </Link>
      </p>
    </main>
  );
}

function SignedIn() {
  useStream();
  return (
    <Shell>
      <Boundary>
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
            <Route path={routes.help} component={Help} />
            <Route path={routes.devices} component={Devices} />
            <Route path={routes.admin} component={Admin} />
            <Route path={routes.adminPage} component={Admin} />
            <Route component={Lost} />
          </Switch>
        </Suspense>
      </Boundary>
    </Shell>
  );
}

/** Follows the events while somebody is signed in. Its code comes after the first page is shown. */
function useStream(): void {
  const queries = useQueryClient();
  const me = useMe().data;
  const isStaff = me?.permissions.includes("requests.moderate");
  useEffect(() => {
    if (isStaff === undefined) return;
    let stop: (() => void) | undefined;
    let over = false;
    void import("../live/follow").then(({ follow }) => {
      if (!over) stop = follow(queries, isStaff);
    });
    return () => {
      over = true;
      stop?.();
    };
  }, [queries, isStaff]);
}

function Opening() {
  return <p className="page text-quiet" role="status">{say.loading}</p>;
}
