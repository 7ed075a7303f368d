/** Filters beside the results: facets, dates, price. */
import { amountProblem, readAmount } from "../kit/amounts.js";
import { fill, h } from "../kit/dom.js";
import { numberText } from "../kit/format.js";
import { t, tOr } from "../kit/i18n.js";

import { comparesPrices } from "./searchstate.js";

/** @import { Facet } from "../schema.js" */
/** @import { SearchState } from "./searchstate.js" */

const MOST_BUCKETS = 9;

/**
 * @param {HTMLElement} place @param {SearchState} state @param {Facet[]} facets @param {string[]} currencies in use, the most frequent first
 * @param {(change: Partial<SearchState>) => void} change
 */
export function showFilters(place, state, facets, currencies, change) {
  const focused = document.activeElement?.id;
  const open = place.querySelector("details")?.open ?? matchMedia("(min-width: 52rem)").matches;
  const body = h(
    "div",
    { class: "filters" },
    h("label", { class: "row small", for: "available" },
      h("input", { type: "checkbox", id: "available", checked: state.available, onchange: toggled(change) }), t("find.available")),
    ...["category", "city"].map((field) => facetList(field, state, facets, change)),
    h("fieldset", null, h("legend", null, t("find.dates")), day("from", state, change), day("to", state, change)),
    priceLimit(state, currencies, change),
  );
  fill(place, h("details", { open }, h("summary", { class: "small soft" }, t("find.filters")), body));
  if (focused) document.getElementById(focused)?.focus();
}

/**
 * The maximum price and its currency: amounts of different currencies are not compared.
 * @param {SearchState} state @param {string[]} currencies @param {(change: Partial<SearchState>) => void} change
 */
function priceLimit(state, currencies, change) {
  const max = h("input", {
    type: "number", min: 0, step: "any", id: "max", value: state.max, inputMode: "decimal", "aria-label": t("find.max"),
    onchange: (/** @type {Event} */ event) => change({ max: valueOf(event), currency: currency.value }),
  });
  const currency = h("select", {
    id: "currency", "aria-label": t("find.currency"),
    onchange: (/** @type {Event} */ event) => change({ currency: valueOf(event) }),
  }, currencies.map((code) => h("option", { value: code }, code)));
  currency.value = state.currency || currencies[0];
  const read = state.max && currency.value ? readAmount(state.max, currency.value, "en") : null;
  const fault = read?.fault && h("p", { class: "small field-problem", role: "alert" }, amountProblem(read.fault, currency.value));
  const hint = comparesPrices(state) && currencies.length > 1 && h("p", { class: "soft small" }, t("find.maxHint", { currency: currency.value }));
  return h("fieldset", null, h("legend", null, t("find.max")), h("div", { class: "price-limit" }, max, currency), fault, hint);
}

/** The currencies of the results' prices, the most frequent first. @param {Facet[]} facets @returns {string[]} */
export function currenciesOf(facets) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { value, count } of facets.find(({ field }) => field === "priceBand")?.buckets ?? []) {
    const code = value.slice(0, 3);
    counts.set(code, (counts.get(code) ?? 0) + count);
  }
  return [...counts].sort((a, b) => b[1] - a[1]).map(([code]) => code);
}

/** @param {(change: Partial<SearchState>) => void} change */
function toggled(change) {
  return (/** @type {Event} */ event) => change({ available: /** @type {HTMLInputElement} */ (event.target).checked });
}

/** @param {Event} event */
function valueOf(event) {
  return /** @type {HTMLInputElement} */ (event.target).value;
}

/** @param {"from" | "to"} name @param {SearchState} state @param {(change: Partial<SearchState>) => void} change */
function day(name, state, change) {
  return h("label", { class: "small" }, t(`find.${name}`), h("input", {
    type: "date", id: name, value: state[name], onchange: (/** @type {Event} */ event) => change({ [name]: valueOf(event) }),
  }));
}

/** @param {string} field @param {SearchState} state @param {Facet[]} facets @param {(change: Partial<SearchState>) => void} change */
function facetList(field, state, facets, change) {
  const chosen = /** @type {any} */ (state)[field];
  const counted = facets.find((facet) => facet.field.replace("venue.", "") === field)?.buckets ?? [];
  const buckets = counted.filter(({ value }) => value).slice(0, MOST_BUCKETS);
  if (chosen && !buckets.some(({ value }) => value === chosen)) buckets.unshift({ value: chosen, count: 0 });
  if (!buckets.length) return null;
  return h(
    "fieldset",
    null,
    h("legend", null, tOr(`find.${field}`, field)),
    buckets.map(({ value, count }) =>
      h("button", {
        type: "button", class: "facet", id: `${field}-${value}`, "aria-pressed": String(value === chosen),
        onclick: () => change({ [field]: value === chosen ? "" : value }),
      }, h("span", null, value), h("span", { class: "soft number small" }, count ? numberText(count) : "")),
    ),
  );
}
