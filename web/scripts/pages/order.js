/** The page of one order for its buyer, with its live status. */
import { loadConfig } from "../buy/cards.js";
import { Checkout } from "../buy/checkout.js";
import { Purchase } from "../buy/purchase.js";
import { request, RequestFailed } from "../graphql/client.js";
import { live } from "../graphql/live.js";
import { signIn } from "../graphql/session.js";
import { byId, fill, h } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { openPage } from "../kit/shell.js";

/** @import { Order } from "../schema.js" */

const orderId = decodeURIComponent(location.pathname.split("/")[2] ?? "");
const place = byId("order", HTMLElement);

// The bank sends its visitor back with the secret of the payment, which belongs in no history.
if (location.search.includes("payment_intent")) history.replaceState(null, "", location.pathname + location.hash);
openPage({ live });
open();

async function open() {
  try {
    const [{ order }, config] = await Promise.all([
      /** @type {Promise<{ order: Order | null }>} */ (request("Order", { id: orderId })),
      loadConfig(),
    ]);
    if (order) showOrder(order, config);
    else askWho();
  } catch (error) {
    if (!(error instanceof RequestFailed)) throw error;
    askWho();
  }
}

/** @param {Order} order @param {import("../buy/cards.js").Config} config */
function showOrder(order, config) {
  document.title = `${order.reference} · Boxoffice`;
  const purchase = new Purchase(order.event.id);
  const checkout = new Checkout(purchase, config);
  purchase.on("changed", () => {
    if (purchase.order) checkout.draw(purchase.order);
    else location.assign(`/events/${order.event.id}`);
  });
  fill(place, h("h1", null, order.event.name), checkout.element);
  purchase.follow(order);
}

/** The server returns null to everyone but the buyer. */
function askWho() {
  const input = h("input", { type: "password", id: "token", autocomplete: "off", required: true });
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    signIn(input.value.trim());
    location.reload();
  };
  fill(
    place,
    h("h1", null, t("order.hidden")),
    h("p", { class: "soft" }, t("order.hiddenHint")),
    h("form", { class: "card stack", onsubmit: submit }, h("label", null, t("token"), input), h("button", { class: "main-action" }, t("continue"))),
  );
}
