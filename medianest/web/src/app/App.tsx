import { lazy, Suspense } from "react";
import { Link, useRoute } from "wouter";
import { useSession } from "../session/session";
import { SignIn } from "../session/SignIn";
import { say } from "../strings";
import { buttonLook } from "../ui/Button";
import { Boundary } from "./Boundary";
import { Opening } from "./Opening";
import { routes } from "./routes";

/** The code of all that is behind the door, home among it. Asked for early, it is there when it is needed. */
export const behindTheDoor = () => import("./SignedIn");
const SignedIn = lazy(behindTheDoor);
const Help = lazy(() => import("../help/Help"));

export function App() {
  const session = useSession();
  if (session.state === "unknown") return <p className="sr-only" role="status">{say.loading}</p>;
  return (
    <Boundary>
      <Suspense fallback={<Opening />}>
        {session.state === "out" ? <SignedOut ended={session.ended} /> : <SignedIn key={session.account} />}
      </Suspense>
    </Boundary>
  );
}

function SignedOut({ ended }: { readonly ended: boolean }) {
  const [isHelp] = useRoute(routes.help);
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
