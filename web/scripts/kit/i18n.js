/** Translation by a message table: static text has data-i18n, scripts call `t`. */
import { english } from "../messages/en.js";
import { korean } from "../messages/ko.js";

/** @typedef {keyof typeof english} MessageKey */

/** @type {Record<string, Record<string, string>>} */
const TABLES = { en: english, ko: korean };
const STORAGE_KEY = "boxoffice.language";

const chosen = localStorage.getItem(STORAGE_KEY) ?? navigator.language.slice(0, 2);
const current = chosen in TABLES ? chosen : "en";

/** The language in use: "en" or "ko". */
export function language() {
  return current;
}

/**
 * The message in the reader's language, with its {name} placeholders filled.
 * @param {MessageKey} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  const one = Number(values["n"]) === 1 ? TABLES[current][`${key}.one`] : undefined;
  const text = one ?? TABLES[current][key] ?? english[key];
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** A message with a computed key, or the fallback. @param {string} key @param {string} fallback */
export function tOr(key, fallback) {
  return TABLES[current][key] ?? TABLES["en"][key] ?? fallback;
}

/** Fills every element that carries data-i18n, data-i18n-label or data-i18n-placeholder. */
export function translatePage() {
  document.documentElement.lang = current;
  for (const element of document.querySelectorAll("[data-i18n]")) {
    element.textContent = t(/** @type {MessageKey} */ (element.getAttribute("data-i18n")));
  }
  for (const name of ["label", "placeholder"]) {
    const target = name === "label" ? "aria-label" : name;
    for (const element of document.querySelectorAll(`[data-i18n-${name}]`)) {
      element.setAttribute(target, t(/** @type {MessageKey} */ (element.getAttribute(`data-i18n-${name}`))));
    }
  }
}

/** Changes the language and reloads the page. @param {string} wanted */
export function chooseLanguage(wanted) {
  localStorage.setItem(STORAGE_KEY, wanted);
  location.reload();
}
