import "./appearance/tokens.css";
import "./appearance/base.css";
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { newCache } from "./api/cache";
import { App } from "./app";
import { showTheme } from "./appearance/theme";
import { NoticesProvider } from "./controls/notices";
import { LanguageProvider } from "./language/language";
import { SessionProvider } from "./session/session";

const cache = newCache();

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
