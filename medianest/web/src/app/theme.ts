import { useState } from "react";

export type Theme = "dark" | "light";

const KEY = "medianest.theme"; // public/theme.js reads it before the first paint

export function useTheme(): readonly [Theme, (theme: Theme) => void] {
  const [theme, remember] = useState<Theme>(document.documentElement.dataset["theme"] === "light" ? "light" : "dark");
  const change = (next: Theme) => {
    document.documentElement.dataset["theme"] = next;
    localStorage.setItem(KEY, next);
    remember(next);
  };
  return [theme, change];
}
