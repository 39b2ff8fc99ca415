import "./appearance/tokens.css";
import "./appearance/base.css";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiFailure } from "./api/client";
import { App } from "./app";
import { showTheme } from "./appearance/theme";
import { NoticesProvider } from "./controls/notices";
import { LanguageProvider } from "./language/language";
import { SessionProvider } from "./session/session";

const MOST_TRIES = 3;

const cache = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // What will not heal by itself is told at once.
      retry: (tried, failure) => tried < MOST_TRIES && failure instanceof ApiFailure && failure.passes,
    },
  },
});

showTheme();
const place = document.getElementById("app");
if (!place) throw new Error("The page has no place for the console.");
createRoot(place).render(
  <StrictMode>
    <QueryClientProvider client={cache}>
      <LanguageProvider>
        <NoticesProvider>
          <SessionProvider>
            <App />
          </SessionProvider>
        </NoticesProvider>
      </LanguageProvider>
    </QueryClientProvider>
  </StrictMode>,
);
