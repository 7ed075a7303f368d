/** One event among the results. */
import { priceText, statusBadge } from "../buy/head.js";
import { h, svg } from "../kit/dom.js";
import { dateTimeText, moneyText, numberText } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { poster } from "../kit/poster.js";

/** @import { EventCard } from "../schema.js" */

/** @param {EventCard} event */
export function card(event) {
  return h(
    "li",
    { class: "result" },
    poster(event),
    h(
      "div",
      { class: "stack" },
      h("div", null,
        h("h3", null, h("a", { href: `/events/${event.id}` }, event.name)),
        h("p", { class: "soft" }, dateTimeText(event.startsAt, event.timezone)),
        h("p", { class: "soft" }, [event.venue.name, event.venue.city].filter(Boolean).join(", "))),
      h("div", { class: "result-foot" }, price(event), event.status === "ON_SALE" ? left(event) : statusBadge(event.status)),
      event.status === "ON_SALE" && event.availability.total > 0 && meter(event),
    ),
  );
}

/** @param {EventCard} event */
function price(event) {
  const { priceFrom, priceTo } = event;
  if (!priceFrom) return h("span");
  const many = priceTo && priceTo.amount !== priceFrom.amount;
  return h("strong", null, many ? t("from", { price: moneyText(priceFrom) }) : priceText(priceFrom, priceTo));
}

/** @param {EventCard} event */
function left(event) {
  const { available, total } = event.availability;
  const few = available < total * 0.1;
  return h("span", { class: `badge ${few ? "warn" : "good"}` }, t("left", { n: numberText(available) }));
}

/** How much is left, as a bar. @param {EventCard} event */
function meter(event) {
  const share = event.availability.available / event.availability.total;
  return svg("svg", { class: "meter", viewBox: "0 0 100 4", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { width: 100 * share, height: 4 }));
}
