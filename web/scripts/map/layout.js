/** The static map of an event: the positions of seats in flat arrays for fast lookups. */
import { authorization } from "../graphql/session.js";
import { convexHull } from "./hull.js";

/** @import { Area, PriceLevel, RowsDocument, SeatRow, Section } from "../schema.js" */
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
  /** @param {RowsDocument} document what SeatMap.rowsUrl holds; docs/clients.md describes it */
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
    this._idPrefix = document.seatIdPrefix;
    /** @type {string[]} */
    this.rows = new Array(this.seatCount);
    /** @type {string[]} */
    this.numbers = new Array(this.seatCount);
    const ends = this._readSections(document);
    this.spacing = this._measureSpacing();
    const shared = sharedWords(document.sections.filter(({ rows }) => rows.length).map(({ name }) => name));
    this.blocks = document.sections.map((section, at) =>
      this._block(section, section.name.slice(shared), ends[at - 1] ?? 0, ends[at]),
    );
    this.box = this._bounds();
    // a grid over the map: seats are `_ordered` from `_starts[cell]` to `_starts[cell + 1]`
    this._cell = this.spacing * CELL_SPACINGS;
    this._columns = Math.max(1, Math.ceil((this.box.right - this.box.left) / this._cell));
    this._rowCount = Math.max(1, Math.ceil((this.box.bottom - this.box.top) / this._cell));
    this._starts = new Uint32Array(this._columns * this._rowCount + 1);
    this._ordered = new Uint32Array(this.seatCount);
    this._sortIntoGrid();
  }

  /**
   * The layout of an event; of a draft it is its organiser's alone, so the token goes with it.
   * @param {{ status: string, seatMap: { rowsUrl: string } }} event @returns {Promise<Layout>}
   */
  static async load({ status, seatMap: { rowsUrl: url } }) {
    const held = status === "DRAFT" ? authorization() : null;
    const response = await fetch(url, { headers: held ? { Authorization: held } : {} });
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

  /** The id of a seat. @param {number} seat */
  idOf(seat) {
    return this._idPrefix + seat;
  }

  /** The seat of an id, or -1. @param {string} id */
  indexOf(id) {
    const index = Number(id.slice(this._idPrefix.length));
    return id.startsWith(this._idPrefix) && index < this.seatCount ? index : -1;
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

  /** The number alone where the plan labels it: "3" of "Chair 3". @param {number} seat */
  shortNumber(seat) {
    return this.numbers[seat].split(" ").pop() ?? "";
  }

  /**
   * The next seat in a direction for keyboard navigation: near, and preferably straight ahead; -1 at the edge
   * of the map.
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

  /** Numbers the seats in document order. @param {RowsDocument} document @returns {number[]} where each section ends */
  _readSections({ sections, scale }) {
    let seat = 0;
    return sections.map((section, at) => {
      const first = seat;
      for (const row of section.rows) seat = this._readRow(row, seat, scale);
      this.sectionOf.fill(at, first, seat);
      return seat;
    });
  }

  /** @param {SeatRow} row @param {number} first its first seat @param {number} scale @returns {number} one past its last */
  _readRow(row, first, scale) {
    const count = row.x.length;
    for (let at = 0, x = 0, y = 0; at < count; at += 1) {
      this.xs[first + at] = (x += row.x[at]) / scale;
      this.ys[first + at] = (y += row.y[at]) / scale;
      this.rows[first + at] = row.row;
      this.numbers[first + at] = Array.isArray(row.numbers) ? row.numbers[at] : String(row.numbers.from + at * row.numbers.step);
    }
    let from = first;
    for (const [level, run] of row.levels) this.levels.fill(level, from, (from += run));
    for (const at of row.accessible ?? []) this.marks[first + at] |= ACCESSIBLE;
    for (const at of row.restrictedView ?? []) this.marks[first + at] |= RESTRICTED;
    return first + count;
  }

  /** The smallest distance between neighbours in a sample of rows, so that no two seats overlap. */
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

  /** @param {Section} section @param {string} label @param {number} first @param {number} end @returns {Block} */
  _block(section, label, first, end) {
    const area = this.areas.find((one) => one.sectionId === section.id) ?? null;
    if (first === end) return this._standing(section, area);
    const seats = Array.from({ length: end - first }, (_, at) => ({ x: this.xs[first + at], y: this.ys[first + at] }));
    const outline = convexHull(seats, this.spacing * 0.85);
    const votes = new Map();
    for (const level of this.levels.subarray(first, end)) votes.set(level, (votes.get(level) ?? 0) + 1);
    const level = [...votes].sort((a, b) => b[1] - a[1])[0][0];
    return { section, label, first, end, box: boxOf(outline), outline, middle: mean(seats), level, area };
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
    return { section, label: section.name, first: 0, end: 0, box, outline, middle, level: section.priceLevel ?? 0, area };
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

/** The length of the common prefix of all names in whole words; 0 if a name would become empty. @param {string[]} names */
function sharedWords(names) {
  if (names.length < 3) return 0;
  const word = names[0].slice(0, names[0].indexOf(" ") + 1);
  return word && names.every((name) => name.startsWith(word) && name.length > word.length) ? word.length : 0;
}
