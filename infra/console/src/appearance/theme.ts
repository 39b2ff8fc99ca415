/** Light or dark: the person's choice, else the system's. */
import { useEffect, useState } from "react";

export type Theme = "system" | "light" | "dark";
export const THEMES: readonly Theme[] = ["system", "light", "dark"];

const STORED = "popfetch.theme";

function stored(): Theme {
  const value = localStorage.getItem(STORED);
  return value === "light" || value === "dark" ? value : "system";
}

/** Show the theme that was chosen; called before anything is drawn. */
export function showTheme(theme: Theme = stored()): void {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

/** The theme and how to change it. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, choose] = useState(stored);
  useEffect(() => {
    showTheme(theme);
    localStorage.setItem(STORED, theme);
  }, [theme]);
  return [theme, choose];
}
