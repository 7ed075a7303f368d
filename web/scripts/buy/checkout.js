/** The panel beside the map once seats are held: countdown, guest details, payment, confirmation. */
import { fill, h } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { answerBank, stripeElement, testCards } from "./cards.js";
import { Countdown } from "./countdown.js";
import { receipt, sums, ticketList } from "./receipt.js";
import { problemNotice } from "./problem.js";

/** @import { Config } from "./cards.js" */
/** @import { Purchase } from "./purchase.js" */
/** @import { Order, PaymentStep } from "../schema.js" */

/** The form for a guest's email and name. @param {Purchase} purchase @param {() => void} done @param {() => void} back */
export function guestForm(purchase, done, back) {
  const email = h("input", { type: "email", name: "email", required: true, autocomplete: "email", id: "guest-email" });
  const name = h("input", { type: "text", name: "name", autocomplete: "name", id: "guest-name" });
  const problem = h("div");
  const challenge = h("div", { class: "challenge" });
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const guest = { email: email.value.trim(), ...(name.value.trim() ? { name: name.value.trim() } : {}) };
    if (await purchase.introduce(guest, challenge)) return done();
    fill(problem, purchase.problem && problemNotice(purchase.problem));
  };
  return h(
    "form",
    { class: "card stack", id: "guest", onsubmit: submit },
    h("h2", null, t("whoBuys")),
    h("p", { class: "soft small" }, t("guestHint")),
    problem,
    h("label", null, t("email"), email),
    h("label", null, t("nameOptional"), name),
    challenge,
    h("button", { class: "main-action wide", id: "guest-go" }, t("continue")),
    h("button", { type: "button", class: "quiet", onclick: back }, t("back")),
  );
}

export class Checkout {
  /** @param {Purchase} purchase @param {Config} config */
  constructor(purchase, config) {
    this._purchase = purchase;
    this._config = config;
    this._countdown = new Countdown(() => {
      purchase.emit("changed", undefined);
      purchase.refresh();
    });
    this._cards = testCards();
    // These elements stay while the rest is redrawn: typed card data and a pending click must survive.
    this._stripe = h("div");
    this._pay = h("button", { type: "button", class: "main-action wide", id: "pay", onclick: () => this._payNow() });
    this._release = h("button", { type: "button", class: "quiet", id: "release", onclick: () => purchase.release() }, t("release"));
    this._panel = h("section", { class: "card stack", id: "checkout" });
    this.element = h("div", { class: "stack" });
    this._shown = "";
  }

  /** Shows the order's current state. @param {Order} order */
  draw(order) {
    const shown = [order.id, order.status, order.payment?.status, order.expiresAt, order.updatedAt, this._purchase.busy, this._purchase.problem?.message, this._purchase.nextStep?.clientSecret, this._purchase.nextStep?.redirectUrl].join();
    if (shown === this._shown) return;
    const news = !this._shown.startsWith(`${order.id},${order.status}`);
    if (!this._shown.startsWith(`${order.id},`)) this._forgetCard();
    this._shown = shown;
    if (order.status === "BOOKED" || order.status === "REFUNDED") fill(this.element, receipt(order, this._afterwards(order)));
    else if (this._purchase.isHeld) this._drawHeld(order);
    else fill(this.element, this._ended(order));
    if (order.status === "RESERVED" || order.status === "PAYING") this._countdown.until(order.expiresAt ?? "");
    else this._countdown.stop();
    if (news) this.element.querySelector("h2")?.focus({ preventScroll: true });
  }

  /** @param {Order} order */
  _drawHeld(order) {
    const { busy, problem } = this._purchase;
    // While its element is on the page, Stripe.js shows the bank by itself.
    const step = this._confirm ? null : this._purchase.nextStep;
    const declined = order.payment?.status === "FAILED";
    fill(
      this._panel,
      h("h2", { tabIndex: -1 }, t("seatsHeld")),
      this._countdown.element,
      ticketList(order),
      sums(order),
      problem && !busy
        ? problemNotice(problem, { id: "problem" })
        : declined && h("div", { class: "notice bad", role: "alert", id: "problem" }, t("problem.PAYMENT_DECLINED")),
      step && this._approval(step),
      this._payment(),
      this._release,
    );
    this._release.disabled = busy;
    this._pay.disabled = busy || this._paying || this._purchase.waits;
    this._pay.textContent = busy ? t("paying") : t("pay");
    fill(this.element, this._panel);
  }

  /** @returns {HTMLElement[]} */
  _payment() {
    if (this._usesStripeJs) return [this._stripe, this._pay];
    if (this._config.environment === "production") return [h("div", { class: "notice warn" }, t("noPayment"))];
    return [this._cards.element, this._pay];
  }

  get _usesStripeJs() {
    return Boolean(this._config.stripePublishableKey) && !this._config.localStripe;
  }

  /** The way to the bank (3-D Secure): its page, or what Stripe.js shows. @param {PaymentStep} step */
  _approval({ redirectUrl, clientSecret }) {
    const bank = redirectUrl
      ? h("a", { class: "button", id: "bank", href: redirectUrl }, t("openBank")) // this tab: it alone knows the buyer
      : this._usesStripeJs && h("button", { type: "button", id: "bank", onclick: () => this._answerBank(clientSecret) }, t("openBank"));
    return h("div", { class: "notice warn stack", role: "status", id: "approval" }, t("approvalNeeded"), bank);
  }

  /** @param {string} clientSecret */
  async _answerBank(clientSecret) {
    const problem = await answerBank(/** @type {string} */ (this._config.stripePublishableKey), clientSecret);
    if (problem) this._purchase.tell({ code: "STRIPE", message: problem });
  }

  async _payNow() {
    this._paying = this._pay.disabled = true;
    await (this._usesStripeJs ? this._payWithStripe() : this._purchase.pay(this._cards.chosen())).finally(() => {
      this._paying = this._pay.disabled = false;
    });
  }

  async _payWithStripe() {
    const key = /** @type {string} */ (this._config.stripePublishableKey);
    const problem = await this._confirmWithStripe(key);
    if (problem) this._purchase.tell({ code: "STRIPE", message: problem });
  }

  /** @param {string} key @returns {Promise<string | null>} Stripe's error message */
  async _confirmWithStripe(key) {
    const purchase = this._purchase;
    if (this._confirm) return this._confirm();
    if (!(await purchase.pay()) || !purchase.clientSecret) return null;
    const secret = purchase.clientSecret;
    const { place, confirm } = await stripeElement(key, secret);
    if (purchase.clientSecret !== secret) return null; // released meanwhile
    this._confirm = confirm;
    fill(this._stripe, place);
    return null;
  }

  /** Another order has its own payment and element. */
  _forgetCard() {
    this._confirm = null;
    fill(this._stripe);
  }

  /** @param {Order} order */
  _ended(order) {
    const text = t(order.status === "EXPIRED" ? "holdExpired" : "orderCancelled");
    return h(
      "section",
      { class: "card stack centred", id: "ended" },
      h("h2", { tabIndex: -1 }, t(`order.${order.status}`)),
      h("p", { class: "soft" }, text),
      h("button", { type: "button", class: "main-action", id: "again", onclick: () => this._purchase.startAgain() }, t("startAgain")),
    );
  }

  /** @param {Order} order @returns {HTMLElement[]} */
  _afterwards(order) {
    const here = `/orders/${order.id}`;
    return [
      ...(location.pathname === here ? [] : [h("a", { class: "button", href: here }, t("seeOrder"))]),
      h("button", { type: "button", class: "quiet", id: "again", onclick: () => this._purchase.startAgain() }, t("buyMore")),
    ];
  }

  /** @type {(() => Promise<string | null>) | null} */
  _confirm = null;

  _paying = false;
}
