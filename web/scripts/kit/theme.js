/** The theme, light or dark: the system's unless the reader chose one. */

const STORAGE_KEY = "boxoffice.theme";

/** Applies the reader's choice, if any, to the document. */
export function applyTheme() {
  const kept = localStorage.getItem(STORAGE_KEY);
  if (kept) document.documentElement.dataset["theme"] = kept;
}

/** Whether the page is dark now. */
export function isDark() {
  const forced = document.documentElement.dataset["theme"];
  return forced ? forced === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

/** Switches the theme and dispatches a "themechange" event. */
export function toggleTheme() {
  const wanted = isDark() ? "light" : "dark";
  localStorage.setItem(STORAGE_KEY, wanted);
  document.documentElement.dataset["theme"] = wanted;
  dispatchEvent(new Event("themechange"));
}
