/** Payment methods: Stripe's element when a key is configured, else test cards. */
import { h } from "../kit/dom.js";
import { t } from "../kit/i18n.js";

/** @import { MessageKey } from "../kit/i18n.js" */
/**
 * @typedef {object} Config
 * @property {string} environment "development" or "production"
 * @property {string | null} stripePublishableKey
 * @property {string | null} localStripe the origin of the local stand-in for Stripe, in development
 */

/** @type {[string, MessageKey][]} */
const TEST_CARDS = [
  ["pm_card_visa", "card.visa"],
  ["pm_card_chargeDeclined", "card.declined"],
  ["pm_card_threeDSecure2Required", "card.secure"],
];

/** @returns {Promise<Config>} */
export async function loadConfig() {
  const answer = await fetch("/config.json").catch(() => null);
  return answer?.ok ? answer.json() : { environment: "production", stripePublishableKey: null, localStripe: null };
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
 * Stripe's payment element, mounted on the page.
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

/**
 * Lets Stripe.js show what the bank asks, of a payment that a page before this one began.
 * @param {string} publishableKey @param {string} clientSecret
 * @returns {Promise<string | null>} Stripe's error message
 */
export async function answerBank(publishableKey, clientSecret) {
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
