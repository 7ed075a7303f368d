/** The ways to pay: Stripe's own element where a key is configured, test cards in development. */
import { h } from "../kit/dom.js";
import { t } from "../kit/i18n.js";

/** @import { MessageKey } from "../kit/i18n.js" */
/** @typedef {{ environment: string, stripePublishableKey: string | null }} Config */

/** @type {[string, MessageKey][]} */
const TEST_CARDS = [
  ["pm_card_visa", "card.visa"],
  ["pm_card_chargeDeclined", "card.declined"],
  ["pm_card_threeDSecure2Required", "card.secure"],
];

/** @returns {Promise<Config>} */
export async function loadConfig() {
  const answer = await fetch("/config.json").catch(() => null);
  return answer?.ok ? answer.json() : { environment: "production", stripePublishableKey: null };
}

/** A choice of test cards. */
export function testCards() {
  const ways = TEST_CARDS.map(([id, key], at) =>
    h("label", null, h("input", { type: "radio", name: "card", value: id, checked: at === 0 }), t(key)),
  );
  const element = h("fieldset", { class: "ways" }, h("legend", null, t("testCards")), ...ways);
  const chosen = () => /** @type {HTMLInputElement} */ (element.querySelector(":checked")).value;
  return { element, chosen };
}

/**
 * Stripe's element in a place of ours.
 * @param {string} publishableKey @param {string} clientSecret
 */
export async function stripeElement(publishableKey, clientSecret) {
  const stripe = (await loadStripe())(publishableKey);
  const elements = stripe.elements({ clientSecret });
  const place = h("div", { id: "stripe-element" });
  elements.create("payment").mount(place);
  const confirm = async () => {
    const { error } = await stripe.confirmPayment({ elements, redirect: "if_required" });
    return error ? String(error.message) : null;
  };
  return { place, confirm };
}

/** Asks Stripe.js to lead the reader through 3-D Secure. @param {string} publishableKey @param {string} clientSecret */
export async function approve(publishableKey, clientSecret) {
  const stripe = (await loadStripe())(publishableKey);
  const { error } = await stripe.handleNextAction({ clientSecret });
  return error ? String(error.message) : null;
}

/** @returns {Promise<any>} */
function loadStripe() {
  const known = /** @type {any} */ (window).Stripe;
  if (known) return Promise.resolve(known);
  return new Promise((resolve, reject) => {
    const script = h("script", { src: "https://js.stripe.com/v3/", onload: () => resolve(/** @type {any} */ (window).Stripe), onerror: reject });
    document.head.append(script);
  });
}
