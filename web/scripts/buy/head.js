/** The head of an event's page: name, performers, times, venue, prices. */
import { fill, h } from "../kit/dom.js";
import { dateTimeText, moneyText, sameWallClock, zoneText } from "../kit/format.js";
import { t, tOr } from "../kit/i18n.js";
import { poster } from "../kit/poster.js";

/** @import { EventDetail } from "../schema.js" */
/** @import { Opening } from "./opening.js" */

/** @type {Record<string, string>} */
const KINDS = { ON_SALE: "good", SOLD_OUT: "warn", CANCELLED: "bad", ENDED: "", ANNOUNCED: "", DRAFT: "warn" };

/** @param {string} status */
export function statusBadge(status) {
  return h("span", { class: `badge ${KINDS[status] ?? ""}` }, tOr(`status.${status}`, status));
}

/** @param {import("../schema.js").Money | null} from @param {import("../schema.js").Money | null} to */
export function priceText(from, to) {
  if (!from) return "";
  if (from.amount === 0 && (!to || to.amount === 0)) return t("free");
  return !to || to.amount === from.amount ? moneyText(from) : `${moneyText(from)} – ${moneyText(to)}`;
}

/** A time in the venue's zone, and in the reader's where that shows another. @param {string} time @param {string} timeZone */
function inBothZones(time, timeZone) {
  const there = `${dateTimeText(time, timeZone)} (${zoneText(time, timeZone)})`;
  return sameWallClock(time, timeZone) ? there : `${there} · ${t("yourTime")}: ${dateTimeText(time)}`;
}

/** @param {HTMLElement} place @param {EventDetail} event @param {Opening} opening */
export function showEventHead(place, event, opening) {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const { venue } = event;
  const where = [venue.name, venue.address, venue.city, venue.country].filter(Boolean).join(", ");
  const facts = [
    [t("who"), event.performers.map((one) => one.name).join(", ")],
    [t("when"), `${dateTimeText(event.startsAt, event.timezone)} (${zoneText(event.startsAt, event.timezone)})`],
    [t("yourTime"), sameWallClock(event.startsAt, event.timezone) ? "" : `${dateTimeText(event.startsAt)} (${here})`],
    [t("where"), where],
    [t("price"), priceText(event.priceFrom, event.priceTo)],
    [t("onSaleFrom"), event.status === "ANNOUNCED" && event.onSaleAt ? inBothZones(event.onSaleAt, event.timezone) : ""],
  ].filter(([, value]) => value);
  opening.until(event.status === "ANNOUNCED" ? event.onSaleAt : null);
  fill(
    place,
    poster(event),
    h(
      "div",
      null,
      h("div", { class: "row" }, statusBadge(event.status), event.category && h("span", { class: "badge" }, event.category)),
      h("h1", null, event.name),
      opening.element,
      h("dl", { class: "facts" }, facts.flatMap(([name, value]) => [h("dt", null, name), h("dd", null, value)])),
      event.description && h("p", { class: "soft small event-about" }, event.description),
    ),
  );
}
