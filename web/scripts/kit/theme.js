/** Light or dark: the system's unless the reader chose. */

const KEPT_AS = "boxoffice.theme";

/** Puts the reader's choice, if any, on the document. */
export function applyTheme() {
  const kept = localStorage.getItem(KEPT_AS);
  if (kept) document.documentElement.dataset["theme"] = kept;
}

/** Whether the page is dark now. */
export function isDark() {
  const forced = document.documentElement.dataset["theme"];
  return forced ? forced === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

/** Changes to the other and tells the page by a "themechange" event. */
export function toggleTheme() {
  const wanted = isDark() ? "light" : "dark";
  localStorage.setItem(KEPT_AS, wanted);
  document.documentElement.dataset["theme"] = wanted;
  dispatchEvent(new Event("themechange"));
}
