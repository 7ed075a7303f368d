/** A confirmed order: its reference, its tickets, its calendar entry; what was refunded of it. */
import { h } from "../kit/dom.js";
import { dateTimeText, moneyText } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { calendarText } from "./ics.js";
import { ticketText } from "./words.js";

/** @import { Money, Order } from "../schema.js" */

/** @param {Order} order @param {HTMLElement[]} [actions] */
export function receipt(order, actions = []) {
  const refunded = order.status === "REFUNDED";
  return h(
    "section",
    { class: "card stack", id: "receipt" },
    h(
      "div",
      { class: "receipt-top" },
      h("div", { class: refunded ? "tickmark refunded" : "tickmark", "aria-hidden": "true" }, refunded ? "↩" : "✓"),
      h("h2", { tabIndex: -1 }, t(refunded ? "order.REFUNDED" : "booked")),
      h("div", { class: "small soft" }, t("reference")),
      h("div", { class: "reference", id: "reference" }, order.reference),
    ),
    h("p", { class: "small soft" }, `${order.event.name} · ${dateTimeText(order.event.startsAt, order.event.timezone)} · ${order.event.venue.name}`),
    refundNotice(order),
    ticketList(order),
    sums(order),
    h("div", { class: "stack" }, calendarLink(order), ...actions),
  );
}

/** What was refunded, and where the money is. @param {Order} order */
function refundNotice(order) {
  const failed = order.refunds.some((refund) => refund.status === "FAILED");
  const tickets = refundedTickets(order) > 0 && t(order.status === "REFUNDED" ? "allRefunded" : "partlyRefunded");
  const texts = [tickets, failed ? t("refundFailed") : moneyBackText(order)].filter(Boolean);
  if (!texts.length) return null;
  return h("div", { class: failed ? "notice bad" : "notice warn", role: "status", id: "refund" }, texts.join(" "));
}

/** @param {Order} order */
function moneyBackText(order) {
  if (!order.refunded.amount) return "";
  return t(order.refunds.some((refund) => refund.status === "PENDING") ? "orderRefunded" : "refundSent");
}

/** @param {Order} order */
function refundedTickets(order) {
  return order.tickets.filter((ticket) => ticket.status === "REFUNDED").length;
}

/** @param {Order} order */
export function ticketList(order) {
  return h(
    "ul",
    { class: "tickets" },
    order.tickets.map((ticket) =>
      ticket.status === "REFUNDED"
        ? h(
            "li",
            { class: "ticket refunded" },
            h("s", null, ticketText(ticket)),
            h("s", { class: "number" }, moneyText(ticket.price)),
            h("strong", { class: "small" }, t("ticket.REFUNDED")),
          )
        : h("li", { class: "ticket" }, h("strong", null, ticketText(ticket)), h("span", { class: "number" }, moneyText(ticket.price))),
    ),
  );
}

/** @param {Order} order */
export function sums(order) {
  return h(
    "div",
    { class: "stack" },
    line(t("tickets"), order.subtotal),
    order.fees.amount > 0 && line(t("fees"), order.fees),
    line(t("total"), order.total, "total"),
    order.refunded.amount > 0 && line(t("refunded"), { ...order.refunded, amount: -order.refunded.amount }),
  );
}

/** @param {string} name @param {Money} money @param {string} [kind] */
function line(name, money, kind = "soft small") {
  return h("div", { class: `spread ${kind}` }, h("span", null, name), h("span", { class: "number" }, moneyText(money)));
}

/** @param {Order} order */
function calendarLink(order) {
  const file = new Blob([calendarText(order, order.tickets.map(calendarLine), refundedTickets(order))], { type: "text/calendar" });
  const text = t(refundedTickets(order) ? "updateCalendar" : "addToCalendar");
  return h("a", { class: "button", id: "calendar", href: URL.createObjectURL(file), download: `${order.reference}.ics` }, text);
}

/** @param {Order["tickets"][number]} ticket */
function calendarLine(ticket) {
  return ticket.status === "REFUNDED" ? `${ticketText(ticket)} · ${t("ticket.REFUNDED")}` : ticketText(ticket);
}
