/** Texts for seats and problems. */
import { moneyText, totalOf } from "../kit/format.js";
import { t, tOr } from "../kit/i18n.js";
import { ACCESSIBLE, RESTRICTED } from "../map/layout.js";
import { BLOCKED, FREE, HELD } from "../map/statuses.js";

/** @import { Layout } from "../map/layout.js" */
/** @import { Statuses } from "../map/statuses.js" */
/** @import { Ticket } from "../schema.js" */
/** @import { Problem } from "./purchase.js" */

/** "Row C, seat 12". @param {Layout} layout @param {number} seat */
export function seatText(layout, seat) {
  return placeText({ row: layout.rows[seat], number: layout.numbers[seat] });
}

/** "Row C, seat 12"; a plan's own labels stand as they are: "Table 1, Seat 3". @param {{ row: string, number: string }} seat */
export function placeText({ row, number }) {
  if (!isLabel(row) && !isLabel(number)) return t("rowSeat", { row, number });
  return `${rowText(row)}, ${seatLabel(number)}`;
}

/** "Row C", or the plan's own label. @param {string} row */
export function rowText(row) {
  return isLabel(row) ? row : t("row", { row });
}

/** "Seat 12", or the plan's own label. @param {string} number */
export function seatLabel(number) {
  return isLabel(number) ? number : t("seatNumber", { number });
}

/** Whether a name says itself what it is the name of, as "Table 1" does and "C" does not. @param {string} name */
function isLabel(name) {
  return name.includes(" ");
}

/** @param {Layout} layout @param {Statuses} statuses @param {number} seat @param {boolean} mine */
export function stateText(layout, statuses, seat, mine) {
  if (mine) return t("seat.mine");
  const letter = statuses.letters[seat];
  if (letter === FREE) return moneyText(totalOf(layout.priceLevel(seat)));
  if (letter === HELD) return t("seat.held");
  return letter === BLOCKED ? t("seat.blocked") : t("seat.booked");
}

/** @param {Layout} layout @param {number} seat @returns {string[]} */
export function markTexts(layout, seat) {
  const marks = layout.marks[seat];
  return [
    ...(marks & ACCESSIBLE ? [t("seat.accessible")] : []),
    ...(marks & RESTRICTED ? [t("seat.restricted")] : []),
  ];
}

/** A seat as one sentence for screen readers. @param {Layout} layout @param {Statuses} statuses @param {number} seat @param {boolean} mine */
export function spokenSeat(layout, statuses, seat, mine) {
  return [
    layout.section(seat).name,
    seatText(layout, seat),
    layout.priceLevel(seat).name,
    stateText(layout, statuses, seat, mine),
    ...markTexts(layout, seat),
  ].join(", ");
}

/** @param {Ticket} ticket */
export function ticketText(ticket) {
  if (!ticket.seat) return `${ticket.section.name} · ${t("standing")}`;
  return `${ticket.section.name} · ${placeText(ticket.seat)}`;
}

/** The server's message if there is one; our text for errors without a response. @param {Problem} problem */
export function problemText(problem) {
  return tOr(`problem.${problem.code}`, problem.message || t("problem.OTHER"));
}
