/** Money, dates and numbers as the reader's language writes them. */
import { digitsOf } from "./currencies.js";
import { language } from "./i18n.js";

/** @import { Money, PriceLevel } from "../schema.js" */

/** "$45.50", "₩45,000"; whole amounts without decimals. @param {Money} money */
export function moneyText(money) {
  const digits = digitsOf(money.currency);
  const value = money.amount / 10 ** digits;
  const shown = Number.isInteger(value) ? 0 : digits;
  return new Intl.NumberFormat(language(), {
    style: "currency",
    currency: money.currency,
    currencyDisplay: "narrowSymbol",
    minimumFractionDigits: shown,
    maximumFractionDigits: shown,
  }).format(value);
}

/** What a ticket of a price level costs, fee included. @param {Pick<PriceLevel, "price" | "fee">} level @returns {Money} */
export function totalOf(level) {
  return { amount: level.price.amount + level.fee.amount, currency: level.price.currency };
}

/** @param {number} value */
export function numberText(value) {
  return new Intl.NumberFormat(language()).format(value);
}

/** "Sat, 14 Mar 2027, 19:30". @param {string} time @param {string} [timeZone] the reader's by default */
export function dateTimeText(time, timeZone) {
  return format(time, timeZone, {
    weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "numeric", minute: "2-digit",
  });
}

/** The name of a zone at that time: "GMT+9", "CET". @param {string} time @param {string} timeZone */
export function zoneText(time, timeZone) {
  try {
    const parts = new Intl.DateTimeFormat(language(), { timeZone, timeZoneName: "short" }).formatToParts(new Date(time));
    return parts.find((part) => part.type === "timeZoneName")?.value ?? timeZone;
  } catch {
    return timeZone;
  }
}

/** The parts of a date for a calendar sheet. @param {string} time @param {string} timeZone */
export function calendarLeaf(time, timeZone) {
  return {
    day: format(time, timeZone, { day: "numeric" }).replace(/\D/g, ""),
    month: format(time, timeZone, { month: "short" }),
    weekday: format(time, timeZone, { weekday: "short" }),
  };
}

/** @param {string} time @param {string | undefined} timeZone @param {Intl.DateTimeFormatOptions} options */
function format(time, timeZone, options) {
  try {
    return new Intl.DateTimeFormat(language(), { ...options, timeZone }).format(new Date(time));
  } catch {
    return new Intl.DateTimeFormat(language(), { ...options, timeZone: "UTC" }).format(new Date(time));
  }
}

/** Whether two zones have the same wall-clock time then. @param {string} time @param {string} timeZone */
export function sameWallClock(time, timeZone) {
  return dateTimeText(time, timeZone) === dateTimeText(time);
}
