import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { askAgain } from "./api/again";
import { isProblem } from "./api/problem";
import { whenBehind } from "./api/seen";
import { App } from "./app/App";
import { resume } from "./session/session";
import "./styles.css";

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // What the stream tells about is read again when it says so; the rest, when somebody comes back to it.
      retry: (failures, error) => failures < 2 && isProblem(error) && error.passes,
      refetchInterval: ({ state }) => askAgain(state),
      staleTime: 5_000,
    },
  },
});

whenBehind(() => void queries.invalidateQueries());
void resume();

const root = document.getElementById("root");
if (root)
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <App />
      </QueryClientProvider>
    </StrictMode>,
  );
