/** What the reader looks for, kept in the address so that it can be shared and gone back to. */

import { minorUnits } from "../kit/format.js";

/**
 * @typedef {object} Wish
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

/** @returns {Wish} */
export function readWish() {
  const query = new URLSearchParams(location.search);
  const text = (/** @type {string} */ name) => query.get(name) ?? "";
  return {
    q: text("q"), city: text("city"), category: text("category"), from: text("from"), to: text("to"),
    max: text("max"), currency: text("currency"), available: text("available") === "1", sort: text("sort"),
    page: Math.max(1, Math.floor(Number(text("page"))) || 1),
  };
}

/** @param {Wish} wish */
export function writeWish(wish) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(wish)) {
    if (name === "page" ? Number(value) > 1 : value) query.set(name, value === true ? "1" : String(value));
  }
  const address = query.size ? `/?${query}` : "/";
  if (address !== location.pathname + location.search) history.pushState(null, "", address);
}

/** Whether prices are compared, which is only done within one currency. @param {Wish} wish */
export function comparesPrices(wish) {
  return wish.max !== "" || wish.sort === "PRICE";
}

/** SearchEventsInput of a wish. @param {Wish} wish @param {string} currency to compare prices in; "" while none is known */
export function searchInput(wish, currency) {
  const max = currency ? minorUnits(wish.max, currency) : null;
  return {
    keyword: wish.q,
    pageNum: wish.page,
    pageSize: PAGE_SIZE,
    sort: wish.sort || (wish.q ? "RELEVANCE" : "STARTS_AT"),
    start: wish.from ? new Date(`${wish.from}T00:00`).toISOString() : new Date().toISOString(),
    ...(wish.to ? { end: new Date(`${wish.to}T23:59:59`).toISOString() } : {}),
    ...(wish.city ? { city: wish.city } : {}),
    ...(wish.category ? { category: wish.category } : {}),
    ...(max === null ? {} : { priceMax: max }),
    ...(currency && comparesPrices(wish) ? { currency } : {}),
    ...(wish.available ? { availableOnly: true } : {}),
  };
}
