/** Filters beside the results: what the engine counted, dates, price. */
import { fill, h } from "../kit/dom.js";
import { numberText } from "../kit/format.js";
import { t, tOr } from "../kit/i18n.js";

/** @import { Facet } from "../schema.js" */
/** @import { Wish } from "./wish.js" */

const MOST_BUCKETS = 9;

/**
 * @param {HTMLElement} place @param {Wish} wish @param {Facet[]} facets
 * @param {(change: Partial<Wish>) => void} change
 */
export function showFilters(place, wish, facets, change) {
  const focused = document.activeElement?.id;
  const open = place.querySelector("details")?.open ?? matchMedia("(min-width: 52rem)").matches;
  const body = h(
    "div",
    { class: "filters" },
    h("label", { class: "row small", for: "available" },
      h("input", { type: "checkbox", id: "available", checked: wish.available, onchange: toggled(change) }), t("find.available")),
    ...["category", "city"].map((field) => facetList(field, wish, facets, change)),
    h("fieldset", null, h("legend", null, t("find.dates")), day("from", wish, change), day("to", wish, change)),
    h("label", null, t("find.max"), h("input", {
      type: "number", min: 0, step: "any", id: "max", value: wish.max, inputMode: "decimal",
      onchange: (/** @type {Event} */ event) => change({ max: valueOf(event) }),
    })),
  );
  fill(place, h("details", { open }, h("summary", { class: "small soft" }, t("find.filters")), body));
  if (focused) document.getElementById(focused)?.focus();
}

/** @param {(change: Partial<Wish>) => void} change */
function toggled(change) {
  return (/** @type {Event} */ event) => change({ available: /** @type {HTMLInputElement} */ (event.target).checked });
}

/** @param {Event} event */
function valueOf(event) {
  return /** @type {HTMLInputElement} */ (event.target).value;
}

/** @param {"from" | "to"} name @param {Wish} wish @param {(change: Partial<Wish>) => void} change */
function day(name, wish, change) {
  return h("label", { class: "small" }, t(`find.${name}`), h("input", {
    type: "date", id: name, value: wish[name], onchange: (/** @type {Event} */ event) => change({ [name]: valueOf(event) }),
  }));
}

/** @param {string} field @param {Wish} wish @param {Facet[]} facets @param {(change: Partial<Wish>) => void} change */
function facetList(field, wish, facets, change) {
  const chosen = /** @type {any} */ (wish)[field];
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
