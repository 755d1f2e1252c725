import { Suspense, useDeferredValue, useEffect, useState } from "react";
import { Link, useRoute } from "wouter";
import { useSession } from "../session/useSession";
import { SignIn } from "../session/SignIn";
import { say } from "../strings/door";
import { buttonLook } from "../ui/Button";
import { Away, useOnline } from "./Away";
import { Boundary } from "./Boundary";
import { later } from "./later";
import { Opening } from "./Opening";
import { routes } from "./routes";

/** The code of all that is behind the door, home among it. Asked for early, it is there when it is needed. */
export const behindTheDoor = () => import("./SignedIn");
const SignedIn = later(behindTheDoor);
const Help = later(() => import("../help/Help"));
const SpareKey = later(() => import("../session/SpareKey"));

export function App() {
  return (
    <Boundary>
      <Suspense fallback={<Opening />}>
        <Whole />
      </Suspense>
    </Boundary>
  );
}

/** What is shown stays until what comes next is there: React would show a fallback for no less than 300 ms. */
function Whole() {
  const session = useDeferredValue(useSession());
  const isReached = useReached();
  if (session.state === "unknown" && !session.unreachable) return <Coming />;
  if (session.state === "unknown" || !isReached) return <Away />;
  return session.state === "out" ? <SignedOut ended={session.ended} /> : <SignedIn key={session.account} />;
}

/** As the page is before any code is there (index.html). */
function Coming() {
  return (
    <div role="status" className="grid min-h-dvh place-items-center">
      <img src="/icon.svg" alt={say.loading} className="size-14" />
    </div>
  );
}

/** Whether there was a network once: what was begun with one goes on without. */
function useReached(): boolean {
  const isOnline = useOnline();
  const [isReached, reach] = useState(isOnline);
  useEffect(() => {
    if (isOnline) reach(true);
  }, [isOnline]);
  return isReached;
}

function SignedOut({ ended }: { readonly ended: boolean }) {
  const [isHelp] = useRoute(routes.help);
  const [isSpareKey] = useRoute(routes.spareKey);
  if (isSpareKey) return <SpareKey />;
  if (!isHelp) return <SignIn ended={ended} />;
  return (
    <main>
      <Help />
      <p className="page pt-0!">
        <Link href={routes.home} className={buttonLook("strong")}>
          {say.signIn.title}
        </Link>
      </p>
    </main>
  );
}
