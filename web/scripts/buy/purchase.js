/** One purchase from the selection to the tickets: its requests and its state. */
import { solvedChallenge } from "../graphql/challenge.js";
import { request, RequestFailed, requestSurely } from "../graphql/client.js";
import { live } from "../graphql/live.js";
import { signIn, token } from "../graphql/session.js";
import { askTabs, onTabs, orderOf, rememberOrder } from "../graphql/tabs.js";
import { Emitter } from "../kit/emitter.js";
import { uniqueKey } from "../kit/keys.js";

/** @import { GuestResult, LimitExceeded, Order, PaymentStep, PayResult, Refusal, ReleaseResult, ReserveResult, SeatsUnavailable, Selection, SlowDown } from "../schema.js" */
/** @typedef {{ code: string, message: string, waitUntilMs?: number }} Problem `waitUntilMs`: when to try again, by this machine's clock */

const HELD = new Set(["RESERVED", "PAYING"]);

/** Whether a card was given and its bank asks the buyer. @param {Order} order */
function waitsForBank(order) {
  return order.status === "PAYING" && order.payment?.status === "REQUIRES_ACTION";
}

/** @extends {Emitter<{ changed: void, offered: SeatsUnavailable }>} */
export class Purchase extends Emitter {
  /** @param {string} eventId */
  constructor(eventId) {
    super();
    this.eventId = eventId;
    /** @type {Order | null} */
    this.order = null;
    /** @type {Problem | null} */
    this.problem = null;
    this.busy = false;
    /** @type {string | null} */
    this.clientSecret = null;
    /** What the bank asks of the buyer. @type {PaymentStep | null} */
    this.nextStep = null;
    /** @type {string | null} */
    this.queueToken = null;
    /** @type {{ stop(): void } | null} */
    this._watch = null;
    onTabs(() => this.order || this.busy || this._resume());
  }

  get isHeld() {
    return this.order !== null && HELD.has(this.order.status);
  }

  /** Restores the order after a reload, or in another tab. */
  async resume() {
    await askTabs();
    await this._resume();
  }

  async _resume() {
    const id = orderOf(this.eventId);
    if (!id || !token() || this.order?.id === id) return;
    await this._during(async () => {
      /** @type {{ order: Order | null }} */
      const { order } = await request("Order", { id });
      if (order && (HELD.has(order.status) || order.status === "BOOKED")) this.follow(order);
      else rememberOrder(this.eventId, null);
    });
  }

  /** @param {{ email: string, name?: string }} guest @param {HTMLElement} place for the challenge @returns {Promise<boolean>} */
  async introduce(guest, place) {
    return this._during(async () => {
      const input = { ...guest, ...(await solvedChallenge(place)) };
      /** @type {{ createGuestSession: GuestResult }} */
      const { createGuestSession: answer } = await request("CreateGuestSession", { input });
      if (answer.__typename === "CreateGuestSessionSuccess") signIn(answer.token);
      else this._refuse(answer);
    });
  }

  /** @param {Selection} selection @returns {Promise<boolean>} */
  async reserve(selection) {
    const input = {
      eventId: this.eventId,
      selection,
      idempotencyKey: uniqueKey(),
      ...(this.queueToken ? { queueToken: this.queueToken } : {}),
    };
    return this._during(async () => {
      /** @type {{ reserve: ReserveResult }} */
      const { reserve: answer } = await requestSurely("Reserve", { input });
      if (answer.__typename === "ReserveSuccess") return this.follow(answer.order);
      this._refuse(answer);
      if (answer.__typename === "SeatsUnavailable") this.emit("offered", answer);
    });
  }

  /** @param {string} [paymentMethodId] without it, the response has a client secret for Stripe.js @returns {Promise<boolean>} */
  async pay(paymentMethodId) {
    const orderId = this.order?.id;
    if (!orderId) return false;
    const input = { orderId, idempotencyKey: uniqueKey(), ...(paymentMethodId ? { paymentMethodId } : {}) };
    return this._during(async () => {
      /** @type {{ pay: PayResult }} */
      const { pay: answer } = await requestSurely("Pay", { input });
      if (answer.__typename === "PaySuccess") {
        this.clientSecret = answer.clientSecret;
        this.nextStep = null;
        this.take(answer.order);
      } else {
        this._refuse(answer);
        await this.refresh();
      }
    });
  }

  /** @returns {Promise<boolean>} */
  async release() {
    const orderId = this.order?.id;
    if (!orderId) return false;
    return this._during(async () => {
      /** @type {{ releaseOrder: ReleaseResult }} */
      const { releaseOrder: answer } = await request("ReleaseOrder", { input: { orderId } });
      if (answer.__typename === "ReleaseOrderSuccess") this.startAgain();
      else this.problem = answer;
    });
  }

  /** Fetches the order again, for example after its deadline. */
  async refresh() {
    const id = this.order?.id;
    if (!id) return;
    /** @type {{ order: Order | null } | null} */
    const answer = await request("Order", { id }).catch(() => null);
    if (answer?.order) this.take(answer.order);
  }

  /** Forgets the order and shows the map for a new selection. */
  startAgain() {
    this._watch?.stop();
    this._watch = null;
    this.order = null;
    this.clientSecret = null;
    this.nextStep = null;
    this.problem = null;
    rememberOrder(this.eventId, null);
    this.emit("changed", undefined);
  }

  /** @param {Problem | null} problem */
  tell(problem) {
    this.problem = problem;
    this.emit("changed", undefined);
  }

  /** Whether the server asked the buyer to wait, and the time is not over. */
  get waits() {
    return (this.problem?.waitUntilMs ?? 0) > Date.now();
  }

  /** Shows why a request was refused; a wait ends by itself. @param {Refusal | SeatsUnavailable | LimitExceeded | SlowDown} answer */
  _refuse(answer) {
    this.problem = answer;
    if (answer.__typename !== "SlowDown") return;
    const problem = { ...answer, waitUntilMs: Date.now() + 1000 * answer.retryAfterSeconds };
    this.problem = problem;
    setTimeout(() => this.problem === problem && this.tell(null), 1000 * answer.retryAfterSeconds);
  }

  /** Applies a newer state of the order. @param {Order} order */
  take(order) {
    this.order = order;
    if (!waitsForBank(order)) this.nextStep = null;
    else if (!this.nextStep) this._findStep(order.id);
    this.emit("changed", undefined);
  }

  /** Asks where the bank waits: a page that was reloaded knows nothing of it. @param {string} id */
  async _findStep(id) {
    /** @type {{ order: { payment: { nextStep: PaymentStep | null } | null } | null } | null} */
    const answer = await request("PaymentStep", { id }).catch(() => null);
    const step = answer?.order?.payment?.nextStep;
    if (!step || this.order?.id !== id || !waitsForBank(this.order)) return;
    this.nextStep = step;
    this.emit("changed", undefined);
  }

  /** @param {Order} order */
  follow(order) {
    this.problem = null;
    rememberOrder(this.eventId, order.id);
    this.take(order);
    this._watch?.stop();
    this._watch = live.subscribe({
      name: "OrderUpdated",
      variables: () => ({ orderId: order.id }),
      next: (data) => this.order?.id === order.id && this.take(data.orderUpdated),
      refused: undefined,
    });
  }

  /** @param {() => Promise<void>} work @returns {Promise<boolean>} whether it succeeded */
  async _during(work) {
    if (this.busy) return false;
    this.busy = true;
    this.problem = null;
    this.emit("changed", undefined);
    try {
      await work();
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      this.problem = { code: error.code, message: error.message };
    } finally {
      this.busy = false;
      this.emit("changed", undefined);
    }
    return this.problem === null;
  }
}
