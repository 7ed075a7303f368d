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
  return t("rowSeat", { row: layout.rows[seat], number: layout.numbers[seat] });
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
  return `${ticket.section.name} · ${t("rowSeat", { row: ticket.seat.row, number: ticket.seat.number })}`;
}

/** The server's message if there is one; our text for errors without a response. @param {Problem} problem */
export function problemText(problem) {
  return tOr(`problem.${problem.code}`, problem.message || t("problem.OTHER"));
}
