import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App, behindTheDoor } from "./App";

void behindTheDoor().catch(() => undefined); // whoever needs it asks again, and says so where it does not come

const root = document.getElementById("root");
if (root)
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
