/** A calendar entry for an order (RFC 5545). */

/** @import { Order } from "../schema.js" */

const USUAL_HOURS = 3;

/**
 * An event whose order was refunded is cancelled: a calendar that has it removes it. SEQUENCE rises with the tickets
 * that were refunded, so that a newer file replaces an older one.
 * @param {Order} order @param {string[]} seats @param {number} refunded tickets @returns {string}
 */
export function calendarText(order, seats, refunded) {
  const { event } = order;
  const starts = new Date(event.startsAt);
  const ends = event.endsAt ? new Date(event.endsAt) : new Date(starts.getTime() + USUAL_HOURS * 3_600_000);
  const place = [event.venue.name, event.venue.address, event.venue.city, event.venue.country].filter(Boolean);
  const lines = [
    "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Boxoffice//Tickets//EN", "BEGIN:VEVENT",
    `UID:${order.id}@boxoffice`, `DTSTAMP:${stamp(new Date(order.updatedAt))}`,
    `SEQUENCE:${refunded}`, `STATUS:${order.status === "REFUNDED" ? "CANCELLED" : "CONFIRMED"}`,
    `DTSTART:${stamp(starts)}`, `DTEND:${stamp(ends)}`,
    `SUMMARY:${escaped(event.name)}`, `LOCATION:${escaped(place.join(", "))}`,
    `DESCRIPTION:${escaped([order.reference, ...seats].join("\n"))}`,
    "END:VEVENT", "END:VCALENDAR", "",
  ];
  return lines.map(folded).join("\r\n");
}

/** @param {Date} time */
function stamp(time) {
  return `${time.toISOString().replace(/[-:]/g, "").slice(0, 15)}Z`;
}

/** @param {string} text */
function escaped(text) {
  return text.replace(/[\\;,]/g, "\\$&").replaceAll("\n", "\\n");
}

/** Folds a line: at most 75 bytes, continuation lines begin with a space. @param {string} line */
function folded(line) {
  const encoder = new TextEncoder();
  const parts = [""];
  for (const char of line) {
    const last = parts.length - 1;
    if (encoder.encode(parts[last] + char).length > 74) parts.push(` ${char}`);
    else parts[last] += char;
  }
  return parts.join("\r\n");
}
