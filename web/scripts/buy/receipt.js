/** A confirmed order: its reference, its tickets, its calendar entry. */
import { h } from "../kit/dom.js";
import { dateTimeText, moneyText } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { calendarText } from "./ics.js";
import { ticketText } from "./words.js";

/** @import { Order } from "../schema.js" */

/** @param {Order} order @param {HTMLElement[]} [actions] */
export function receipt(order, actions = []) {
  return h(
    "section",
    { class: "card stack", id: "receipt" },
    h(
      "div",
      { class: "receipt-top" },
      h("div", { class: "tickmark", "aria-hidden": "true" }, "✓"),
      h("h2", { tabIndex: -1 }, t("booked")),
      h("div", { class: "small soft" }, t("reference")),
      h("div", { class: "reference", id: "reference" }, order.reference),
    ),
    h("p", { class: "small soft" }, `${order.event.name} · ${dateTimeText(order.event.startsAt, order.event.timezone)} · ${order.event.venue.name}`),
    ticketList(order),
    sums(order),
    h("div", { class: "stack" }, calendarLink(order), ...actions),
  );
}

/** @param {Order} order */
export function ticketList(order) {
  return h(
    "ul",
    { class: "tickets" },
    order.tickets.map((ticket) =>
      h("li", { class: "ticket" }, h("strong", null, ticketText(ticket)), h("span", { class: "number" }, moneyText(ticket.price))),
    ),
  );
}

/** @param {Order} order */
export function sums(order) {
  const line = (/** @type {string} */ name, /** @type {import("../schema.js").Money} */ money, /** @type {string} */ kind = "soft small") =>
    h("div", { class: `spread ${kind}` }, h("span", null, name), h("span", { class: "number" }, moneyText(money)));
  return h(
    "div",
    { class: "stack" },
    line(t("tickets"), order.subtotal),
    order.fees.amount > 0 && line(t("fees"), order.fees),
    line(t("total"), order.total, "total"),
  );
}

/** @param {Order} order */
function calendarLink(order) {
  const file = new Blob([calendarText(order, order.tickets.map(ticketText))], { type: "text/calendar" });
  return h("a", { class: "button", id: "calendar", href: URL.createObjectURL(file), download: `${order.reference}.ics` }, t("addToCalendar"));
}
