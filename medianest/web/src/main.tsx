import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App, behindTheDoor } from "./app/App";
import { resume } from "./session/session";
import "./styles.css";

void resume();
void behindTheDoor().catch(() => undefined); // whoever needs it asks again, and says so where it does not come
// It keeps the frame for where there is no network (worker.js). Where it may not be, all else works the same.
// One that is there already is renewed by the browser; to register it again would keep one that is about to leave.
if (import.meta.env.PROD && navigator.serviceWorker?.controller === null)
  addEventListener("load", () => void navigator.serviceWorker.register("/sw.js").catch(() => undefined));

const root = document.getElementById("root");
if (root)
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
