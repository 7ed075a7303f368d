/** The static map of an event: where every seat is, in flat arrays that are quick to search. */
import { convexHull } from "./hull.js";

/** @import { Area, LayoutDocument, PriceLevel, Section } from "../schema.js" */
/** @typedef {{ left: number, top: number, right: number, bottom: number }} Box */
/**
 * @typedef {object} Block a section as the map draws it
 * @property {Section} section
 * @property {string} label its name without what all names begin with ("Block 101" among blocks: "101")
 * @property {number} first index of its first seat
 * @property {number} end one past its last
 * @property {Box} box
 * @property {{ x: number, y: number }[]} outline
 * @property {{ x: number, y: number }} middle
 * @property {number} level position in priceLevels of most of its seats
 * @property {Area | null} area
 */

export const ACCESSIBLE = 1;
export const RESTRICTED = 2;
const CELL_SPACINGS = 6;

export class Layout {
  /** @param {LayoutDocument} document */
  constructor(document) {
    this.version = document.version;
    this.width = document.width;
    this.height = document.height;
    /** @type {PriceLevel[]} */
    this.priceLevels = document.priceLevels;
    this.seatCount = document.seatCount;
    this.areas = document.areas ?? [];
    this.xs = new Float32Array(this.seatCount);
    this.ys = new Float32Array(this.seatCount);
    this.levels = new Uint8Array(this.seatCount);
    this.marks = new Uint8Array(this.seatCount);
    this.sectionOf = new Uint16Array(this.seatCount);
    /** @type {string[]} */
    this.ids = new Array(this.seatCount);
    /** @type {string[]} */
    this.rows = new Array(this.seatCount);
    /** @type {string[]} */
    this.numbers = new Array(this.seatCount);
    this._levelNumber = new Map(document.priceLevels.map((level, at) => [level.id, at]));
    document.sections.forEach((section, at) => this._readSeats(section, at));
    this.spacing = this._measureSpacing();
    const shared = sharedWords(document.sections.filter(({ seats }) => seats.length).map(({ name }) => name));
    this.blocks = document.sections.map((section) => this._block(section, section.name.slice(shared)));
    this.box = this._bounds();
    // a grid over the house: seats are `_ordered` from `_starts[cell]` to `_starts[cell + 1]`
    this._cell = this.spacing * CELL_SPACINGS;
    this._columns = Math.max(1, Math.ceil((this.box.right - this.box.left) / this._cell));
    this._rowCount = Math.max(1, Math.ceil((this.box.bottom - this.box.top) / this._cell));
    this._starts = new Uint32Array(this._columns * this._rowCount + 1);
    this._ordered = new Uint32Array(this.seatCount);
    this._sortIntoGrid();
  }

  /** @param {string} url @returns {Promise<Layout>} */
  static async load(url) {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url}: ${response.status}`);
    return new Layout(await response.json());
  }

  /** The seat's price level. @param {number} seat */
  priceLevel(seat) {
    return this.priceLevels[this.levels[seat]];
  }

  /** @param {number} seat */
  section(seat) {
    return this.blocks[this.sectionOf[seat]].section;
  }

  /** The seat of an id, or -1. @param {string} id */
  indexOf(id) {
    const index = Number(id.slice(id.lastIndexOf("_") + 1));
    return this.ids[index] === id ? index : this.ids.indexOf(id);
  }

  /**
   * The seat nearest to a point, or -1 where none is within reach.
   * @param {number} x @param {number} y @param {number} reach
   * @param {(seat: number) => boolean} [accept]
   */
  nearest(x, y, reach, accept = () => true) {
    let found = -1;
    let least = reach * reach;
    this.within({ left: x - reach, top: y - reach, right: x + reach, bottom: y + reach }, (seat) => {
      const distance = (this.xs[seat] - x) ** 2 + (this.ys[seat] - y) ** 2;
      if (distance <= least && accept(seat)) [found, least] = [seat, distance];
    });
    return found;
  }

  /** Visits every seat of a box. @param {Box} box @param {(seat: number) => void} visit */
  within(box, visit) {
    const [fromColumn, toColumn] = [this._column(box.left), this._column(box.right)];
    for (let row = this._row(box.top); row <= this._row(box.bottom); row += 1) {
      for (let column = fromColumn; column <= toColumn; column += 1) {
        const cell = row * this._columns + column;
        for (let at = this._starts[cell]; at < this._starts[cell + 1]; at += 1) {
          const seat = this._ordered[at];
          const [x, y] = [this.xs[seat], this.ys[seat]];
          if (x >= box.left && x <= box.right && y >= box.top && y <= box.bottom) visit(seat);
        }
      }
    }
  }

  /**
   * The next seat in a direction, as a keyboard means it: near, and rather straight ahead than aside; -1 at
   * the edge of the house.
   * @param {number} seat @param {number} dx @param {number} dy
   */
  step(seat, dx, dy) {
    for (const reach of [this.spacing * 3, this.spacing * 12, Math.max(this.width, this.height)]) {
      const found = this._ahead(seat, dx, dy, reach);
      if (found >= 0) return found;
    }
    return -1;
  }

  /** @param {number} seat @param {number} dx @param {number} dy @param {number} reach */
  _ahead(seat, dx, dy, reach) {
    const [x, y] = [this.xs[seat], this.ys[seat]];
    let [found, least] = [-1, Infinity];
    const box = { left: x - reach, top: y - reach, right: x + reach, bottom: y + reach };
    this.within(box, (other) => {
      const along = (this.xs[other] - x) * dx + (this.ys[other] - y) * dy;
      const aside = Math.abs((this.xs[other] - x) * dy - (this.ys[other] - y) * dx);
      const cost = along + aside * 2.5;
      if (along > this.spacing * 0.3 && aside <= along * 1.2 && cost < least) [found, least] = [other, cost];
    });
    return found;
  }

  /** The general-admission block at a point, or null. @param {number} x @param {number} y */
  standingAt(x, y) {
    const inside = (/** @type {Area} */ a) => x >= a.x && x <= a.x + a.width && y >= a.y && y <= a.y + a.height;
    return this.blocks.find((block) => block.section.kind !== "SEATED" && block.area && inside(block.area)) ?? null;
  }

  /** @param {Section} section @param {number} at */
  _readSeats(section, at) {
    for (const seat of section.seats) {
      const { index } = seat;
      this.xs[index] = seat.x;
      this.ys[index] = seat.y;
      this.levels[index] = this._levelNumber.get(seat.priceLevelId) ?? 0;
      this.marks[index] = (seat.accessible ? ACCESSIBLE : 0) | (seat.restrictedView ? RESTRICTED : 0);
      this.sectionOf[index] = at;
      this.ids[index] = seat.id;
      this.rows[index] = seat.row;
      this.numbers[index] = seat.number;
    }
  }

  /** The distance between neighbours in the tightest rows, over a sample, so that no two seats overlap. */
  _measureSpacing() {
    const distances = [];
    const stride = Math.max(1, Math.floor(this.seatCount / 800));
    for (let seat = 1; seat < this.seatCount; seat += stride) {
      if (this.rows[seat] !== this.rows[seat - 1]) continue;
      distances.push(Math.hypot(this.xs[seat] - this.xs[seat - 1], this.ys[seat] - this.ys[seat - 1]));
    }
    distances.sort((a, b) => a - b);
    return distances[Math.floor(distances.length / 8)] || 24;
  }

  /** @param {Section} section @param {string} label @returns {Block} */
  _block(section, label) {
    const area = this.areas.find((one) => one.sectionId === section.id) ?? null;
    if (!section.seats.length) return this._standing(section, area);
    const first = section.seats[0].index;
    const outline = convexHull(
      section.seats.map((seat) => ({ x: seat.x, y: seat.y })),
      this.spacing * 0.85,
    );
    const votes = new Map();
    for (const seat of section.seats) {
      const level = this.levels[seat.index];
      votes.set(level, (votes.get(level) ?? 0) + 1);
    }
    const level = [...votes].sort((a, b) => b[1] - a[1])[0][0];
    const box = boxOf(outline);
    const end = first + section.seats.length;
    return { section, label, first, end, box, outline, middle: mean(section.seats), level, area };
  }

  /** @param {Section} section @param {Area | null} area @returns {Block} */
  _standing(section, area) {
    const place = area ?? { x: 0, y: 0, width: 0, height: 0 };
    const box = { left: place.x, top: place.y, right: place.x + place.width, bottom: place.y + place.height };
    const outline = [
      { x: box.left, y: box.top }, { x: box.right, y: box.top },
      { x: box.right, y: box.bottom }, { x: box.left, y: box.bottom },
    ];
    const middle = { x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2 };
    const level = this.priceLevels.findIndex((one) => one.name === section.name);
    return { section, label: section.name, first: 0, end: 0, box, outline, middle, level: Math.max(0, level), area };
  }

  /** @returns {Box} */
  _bounds() {
    const corners = this.blocks.filter((block) => block.box.right > block.box.left).flatMap(({ box }) => [
      { x: box.left, y: box.top },
      { x: box.right, y: box.bottom },
    ]);
    for (const area of this.areas) {
      corners.push({ x: area.x, y: area.y }, { x: area.x + area.width, y: area.y + area.height });
    }
    return corners.length ? boxOf(corners) : { left: 0, top: 0, right: this.width, bottom: this.height };
  }

  _sortIntoGrid() {
    const cellOf = (/** @type {number} */ seat) =>
      this._row(this.ys[seat]) * this._columns + this._column(this.xs[seat]);
    for (let seat = 0; seat < this.seatCount; seat += 1) this._starts[cellOf(seat) + 1] += 1;
    for (let cell = 1; cell < this._starts.length; cell += 1) this._starts[cell] += this._starts[cell - 1];
    const next = this._starts.slice();
    for (let seat = 0; seat < this.seatCount; seat += 1) this._ordered[next[cellOf(seat)]++] = seat;
  }

  /** @param {number} x */
  _column(x) {
    return Math.min(this._columns - 1, Math.max(0, Math.floor((x - this.box.left) / this._cell)));
  }

  /** @param {number} y */
  _row(y) {
    return Math.min(this._rowCount - 1, Math.max(0, Math.floor((y - this.box.top) / this._cell)));
  }
}

/** @param {{ x: number, y: number }[]} points @returns {Box} */
function boxOf(points) {
  const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (const { x, y } of points) {
    box.left = Math.min(box.left, x);
    box.right = Math.max(box.right, x);
    box.top = Math.min(box.top, y);
    box.bottom = Math.max(box.bottom, y);
  }
  return box;
}

/** @param {{ x: number, y: number }[]} points */
function mean(points) {
  const sum = points.reduce((total, point) => ({ x: total.x + point.x, y: total.y + point.y }), { x: 0, y: 0 });
  return { x: sum.x / points.length, y: sum.y / points.length };
}

/** The length of the words that all names begin with, 0 where one would be left empty. @param {string[]} names */
function sharedWords(names) {
  if (names.length < 3) return 0;
  const word = names[0].slice(0, names[0].indexOf(" ") + 1);
  return word && names.every((name) => name.startsWith(word) && name.length > word.length) ? word.length : 0;
}
