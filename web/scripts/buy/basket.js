/** The chosen seats that are not yet held. */
import { Emitter } from "../kit/emitter.js";

/** @import { Layout } from "../map/layout.js" */
/** @import { Statuses } from "../map/statuses.js" */
/** @import { Money } from "../schema.js" */

/** @extends {Emitter<{ changed: void, full: number, lost: number[] }>} */
export class Basket extends Emitter {
  /** @param {Layout} layout @param {Statuses} statuses @param {number} limit */
  constructor(layout, statuses, limit) {
    super();
    this.layout = layout;
    this.statuses = statuses;
    this.limit = limit;
    /** @type {Set<number>} */
    this.seats = new Set();
    this.open = true;
    statuses.on("changed", () => this._dropTaken());
  }

  /** Adds or removes a seat; a taken seat is ignored. @param {number} seat */
  toggle(seat) {
    if (!this.open) return;
    if (this.seats.delete(seat)) return this.emit("changed", undefined);
    if (!this.statuses.isFree(seat)) return;
    if (this.seats.size >= this.limit) return this.emit("full", this.limit);
    this.seats.add(seat);
    this.emit("changed", undefined);
  }

  /** @param {Iterable<number>} seats */
  replace(seats) {
    this.seats = new Set(seats);
    this.emit("changed", undefined);
  }

  get ids() {
    return [...this.seats].map((seat) => this.layout.idOf(seat));
  }

  /** Tickets, fees and both together, or null while nothing is chosen. @returns {{ tickets: Money, fees: Money, total: Money } | null} */
  get sums() {
    const levels = [...this.seats].map((seat) => this.layout.priceLevel(seat));
    if (!levels.length) return null;
    const { currency } = levels[0].price;
    const tickets = levels.reduce((sum, level) => sum + level.price.amount, 0);
    const fees = levels.reduce((sum, level) => sum + level.fee.amount, 0);
    return { tickets: { amount: tickets, currency }, fees: { amount: fees, currency }, total: { amount: tickets + fees, currency } };
  }

  /** Removes seats that others have taken. During a request for a hold, its response tells instead. */
  _dropTaken() {
    if (!this.open) return;
    const lost = [...this.seats].filter((seat) => !this.statuses.isFree(seat));
    if (!lost.length) return;
    for (const seat of lost) this.seats.delete(seat);
    this.emit("lost", lost);
    this.emit("changed", undefined);
  }
}
