/** The state of the search, stored in the page's address so that it can be shared and revisited. */

import { readAmount } from "../kit/amounts.js";

/**
 * @typedef {object} SearchState
 * @property {string} q
 * @property {string} city
 * @property {string} category
 * @property {string} from a calendar date
 * @property {string} to a calendar date
 * @property {string} max the highest price, as typed
 * @property {string} currency of that price, ISO 4217; "" for the most frequent
 * @property {boolean} available
 * @property {string} sort
 * @property {number} page
 */

const PAGE_SIZE = 24;

/** @returns {SearchState} */
export function readSearchState() {
  const query = new URLSearchParams(location.search);
  const text = (/** @type {string} */ name) => query.get(name) ?? "";
  return {
    q: text("q"), city: text("city"), category: text("category"), from: text("from"), to: text("to"),
    max: text("max"), currency: text("currency"), available: text("available") === "1", sort: text("sort"),
    page: Math.max(1, Math.floor(Number(text("page"))) || 1),
  };
}

/** @param {SearchState} state */
export function writeSearchState(state) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(state)) {
    if (name === "page" ? Number(value) > 1 : value) query.set(name, value === true ? "1" : String(value));
  }
  const address = query.size ? `/?${query}` : "/";
  if (address !== location.pathname + location.search) history.pushState(null, "", address);
}

/** Whether prices are compared, which needs one currency. @param {SearchState} state */
export function comparesPrices(state) {
  return state.max !== "" || state.sort === "PRICE";
}

/** The SearchEventsInput of a search state. @param {SearchState} state @param {string} currency of compared prices; "" if unknown */
export function searchInput(state, currency) {
  // A number field gives its value as programs write it.
  const max = currency ? readAmount(state.max, currency, "en").amount : undefined;
  return {
    keyword: state.q,
    pageNum: state.page,
    pageSize: PAGE_SIZE,
    sort: state.sort || (state.q ? "RELEVANCE" : "STARTS_AT"),
    start: state.from ? new Date(`${state.from}T00:00`).toISOString() : new Date().toISOString(),
    ...(state.to ? { end: new Date(`${state.to}T23:59:59`).toISOString() } : {}),
    ...(state.city ? { city: state.city } : {}),
    ...(state.category ? { category: state.category } : {}),
    ...(max === undefined ? {} : { priceMax: max }),
    ...(currency && comparesPrices(state) ? { currency } : {}),
    ...(state.available ? { availableOnly: true } : {}),
  };
}
