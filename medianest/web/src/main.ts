import { askAhead } from "./api/ahead";
import { resume, wasKnown } from "./session/session";
import "./styles.css";

// What the rest of the code need not be there for: who one is, and then what home asks first.
void resume().then(askAhead);
void import("./app/start");
if (wasKnown()) void import("./app/SignedIn").catch(() => undefined); // whoever needs it asks again, and says so where it does not come
// It keeps the frame for where there is no network (worker.js). Where it may not be, all else works the same.
// One that is there already is renewed by the browser; to register it again would keep one that is about to leave.
if (import.meta.env.PROD && navigator.serviceWorker?.controller === null)
  addEventListener("load", () => void navigator.serviceWorker.register("/sw.js").catch(() => undefined));
