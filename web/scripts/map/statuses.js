/** The status of every seat: a snapshot and the deltas after it. */
import { Emitter } from "../kit/emitter.js";

/** @import { SeatAvailabilityUpdate, SeatStatus, SectionAvailability } from "../schema.js" */

export const FREE = 65; // A
export const HELD = 72; // H
export const BOOKED = 66; // B
export const BLOCKED = 88; // X
/** @type {Record<SeatStatus, number>} */
const LETTERS = { AVAILABLE: FREE, HELD, BOOKED, BLOCKED };

/**
 * @extends {Emitter<{ changed: { seats: number[] | null, taken: number[] } }>}
 * `changed` has the seats that differ, or null if any may differ.
 */
export class Statuses extends Emitter {
  /** @param {number} seatCount */
  constructor(seatCount) {
    super();
    this.letters = new Uint8Array(seatCount).fill(FREE);
    /** @type {number | null} */
    this.version = null;
    /** @type {Map<string, SectionAvailability>} */
    this.sections = new Map();
  }

  /**
   * Applies an update.
   * @param {SeatAvailabilityUpdate} update
   * @returns {boolean} false if it does not follow the known version; the caller requests a snapshot
   */
  apply(update) {
    if (update.statuses !== null) {
      this._replace(update.statuses, update);
      return true;
    }
    if (this.version === null || update.previousVersion === null) return false;
    if (update.version <= this.version) return true;
    if (update.previousVersion > this.version) return false;
    this._change(update);
    return true;
  }

  /** Forgets the version, so that the next subscription starts with a snapshot. */
  forget() {
    this.version = null;
  }

  /** @param {number} seat */
  isFree(seat) {
    return this.letters[seat] === FREE;
  }

  /** The number of free places. */
  get available() {
    let sum = 0;
    for (const section of this.sections.values()) sum += section.available;
    return sum;
  }

  /** @param {string} statuses @param {SeatAvailabilityUpdate} update */
  _replace(statuses, update) {
    const length = Math.min(statuses.length, this.letters.length);
    for (let seat = 0; seat < length; seat += 1) this.letters[seat] = statuses.charCodeAt(seat);
    this._note(update);
    this.emit("changed", { seats: null, taken: [] });
  }

  /** @param {SeatAvailabilityUpdate} update */
  _change(update) {
    const seats = [];
    const taken = [];
    for (const { index, status } of update.changes) {
      const letter = LETTERS[status];
      if (this.letters[index] === letter) continue;
      if (this.letters[index] === FREE) taken.push(index);
      this.letters[index] = letter;
      seats.push(index);
    }
    this._note(update);
    this.emit("changed", { seats, taken });
  }

  /** @param {SeatAvailabilityUpdate} update */
  _note(update) {
    this.version = update.version;
    for (const section of update.sections) this.sections.set(section.sectionId, section);
  }
}
