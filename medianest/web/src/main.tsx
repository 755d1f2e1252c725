import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App, behindTheDoor } from "./app/App";
import { resume } from "./session/session";
import "./styles.css";

void resume();
void behindTheDoor().catch(() => undefined); // whoever needs it asks again, and says so where it does not come

const root = document.getElementById("root");
if (root)
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
