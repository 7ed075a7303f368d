/** The orders of an event whose payment a cardholder disputes. */
import { request } from "../graphql/client.js";
import { fill, h } from "../kit/dom.js";
import { dateTimeText, moneyText, numberText } from "../kit/format.js";
import { t, tOr } from "../kit/i18n.js";

/** @import { DisputedOrder } from "../schema.js" */

const REFRESH_MS = 60_000;

/** A card that is empty while there is no dispute; it looks again every minute. @param {string} eventId */
export function disputesOf(eventId) {
  const element = h("div", { id: "disputes" });
  const look = async () => {
    /** @type {{ event: { orders: { totalCount: number, edges: { node: DisputedOrder }[] } } | null } | null} */
    const answer = await request("DisputedOrders", { id: eventId }).catch(() => null);
    const orders = answer?.event?.orders;
    if (orders) fill(element, orders.totalCount > 0 && card(orders.totalCount, orders.edges.map(({ node }) => node)));
  };
  look();
  const beat = setInterval(() => (element.isConnected ? look() : clearInterval(beat)), REFRESH_MS);
  return element;
}

/** @param {number} count @param {DisputedOrder[]} orders */
function card(count, orders) {
  return h("section", { class: "card stack" },
    h("h3", null, t("organise.disputes", { n: numberText(count) })),
    h("p", { class: "soft small" }, t("organise.disputesHint")),
    h("ul", { class: "own" }, orders.map(line)));
}

/** @param {DisputedOrder} order */
function line({ reference, dispute }) {
  if (!dispute) return null;
  const { status, amount, reason, respondBy, gatewayId } = dispute;
  return h("li", { class: "dispute" },
    h("div", { class: "row" },
      h("strong", null, reference),
      h("span", { class: `badge ${status === "LOST" ? "" : "bad"}` }, t(`organise.dispute.${status}`)),
      h("span", null, moneyText(amount))),
    h("div", { class: "soft small" },
      [tOr(`organise.reason.${reason}`, reason.replaceAll("_", " ")), respondBy && t("organise.respondBy", { when: dateTimeText(respondBy) }), gatewayId].filter(Boolean).join(" · ")));
}
