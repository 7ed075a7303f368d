/**
 * The seats as one bitmap, larger than the screen. Panning and zooming move it; it is repainted only when the
 * screen leaves it or the scale changes much, and a change of status repaints one seat.
 */
import { ACCESSIBLE, RESTRICTED } from "./layout.js";
import { BLOCKED, BOOKED, FREE, HELD } from "./statuses.js";

/** @import { Layout, Box } from "./layout.js" */
/** @import { Statuses } from "./statuses.js" */
/** @import { Viewport } from "./viewport.js" */
/** @import { Palette } from "./palette.js" */

const MARGIN_SHARE = 0.3;
const STALE_ZOOM = 1.3;
const SQUARE_BELOW_PX = 2.4;
const MARKED_FROM_PX = 4;
export const SEAT_RADIUS_SHARE = 0.41;

export class SeatLayer {
  /** @param {Layout} layout @param {Statuses} statuses */
  constructor(layout, statuses) {
    this.layout = layout;
    this.statuses = statuses;
    this._canvas = document.createElement("canvas");
    this._context = /** @type {CanvasRenderingContext2D} */ (this._canvas.getContext("2d"));
    /** @type {Box} */
    this._box = { left: 0, top: 0, right: 0, bottom: 0 };
    this._scale = 0;
    this._valid = false;
    /** @type {Map<string, HTMLCanvasElement>} */
    this._sprites = new Map();
    /** Price levels that are filtered out, by position. @type {Set<number>} */
    this.dimmed = new Set();
  }

  /** @param {Palette} palette */
  paintWith(palette) {
    this._palette = palette;
    this.invalidate();
  }

  invalidate() {
    this._valid = false;
    this._sprites.clear();
  }

  /**
   * Draws the visible part.
   * @param {CanvasRenderingContext2D} context
   * @param {Viewport} viewport
   * @param {number} density device pixels a CSS pixel
   */
  draw(context, viewport, density) {
    if (this._isStale(viewport)) this._repaint(viewport, density);
    const at = viewport.toScreen(this._box.left, this._box.top);
    const ratio = viewport.scale / this._scale / this._density;
    context.imageSmoothingEnabled = Math.abs(ratio * density - 1) > 0.001;
    context.drawImage(this._canvas, at.x, at.y, this._canvas.width * ratio, this._canvas.height * ratio);
  }

  /** Repaints single seats after a change. @param {number[]} seats */
  update(seats) {
    if (!this._valid) return;
    if (seats.length > 4000) return this.invalidate();
    for (const seat of seats) this._erase(seat);
    for (const seat of seats) this._paint(seat);
  }

  /** @param {Viewport} viewport */
  _isStale(viewport) {
    if (!this._valid) return true;
    const zoom = viewport.scale / this._scale;
    if (zoom > STALE_ZOOM || zoom < 1 / STALE_ZOOM) return true;
    const seen = viewport.box();
    const { left, top, right, bottom } = this.layout.box;
    const short = (/** @type {number} */ want, /** @type {number} */ have) => have - want > 1;
    return (
      short(Math.max(seen.left, left), this._box.left) || short(Math.max(seen.top, top), this._box.top) ||
      short(this._box.right, Math.min(seen.right, right)) || short(this._box.bottom, Math.min(seen.bottom, bottom))
    );
  }

  /** @param {Viewport} viewport @param {number} density */
  _repaint(viewport, density) {
    const wanted = viewport.box(MARGIN_SHARE);
    const world = this.layout.box;
    const edge = this.layout.spacing;
    this._box = {
      left: Math.max(wanted.left, world.left - edge), top: Math.max(wanted.top, world.top - edge),
      right: Math.min(wanted.right, world.right + edge), bottom: Math.min(wanted.bottom, world.bottom + edge),
    };
    if (this._scale !== viewport.scale || this._density !== density) this._sprites.clear();
    this._scale = viewport.scale;
    this._density = density;
    const pixels = this._scale * density;
    this._canvas.width = Math.max(1, Math.ceil((this._box.right - this._box.left) * pixels));
    this._canvas.height = Math.max(1, Math.ceil((this._box.bottom - this._box.top) * pixels));
    this._radius = this.layout.spacing * SEAT_RADIUS_SHARE * pixels;
    this._valid = true;
    this.layout.within(this._box, (seat) => this._paint(seat));
  }

  /** @param {number} seat */
  _paint(seat) {
    const x = (this.layout.xs[seat] - this._box.left) * this._scale * this._density;
    const y = (this.layout.ys[seat] - this._box.top) * this._scale * this._density;
    if (this._radius < SQUARE_BELOW_PX) return this._paintSquare(seat, x, y);
    const sprite = this._sprite(seat);
    this._context.drawImage(sprite, Math.round(x - sprite.width / 2), Math.round(y - sprite.height / 2));
  }

  /** @param {number} seat @param {number} x @param {number} y */
  _paintSquare(seat, x, y) {
    const side = this._radius * 1.7;
    this._context.fillStyle = this._color(seat);
    this._context.fillRect(x - side / 2, y - side / 2, side, side);
  }

  /** @param {number} seat */
  _erase(seat) {
    const x = (this.layout.xs[seat] - this._box.left) * this._scale * this._density;
    const y = (this.layout.ys[seat] - this._box.top) * this._scale * this._density;
    const reach = this._radius < SQUARE_BELOW_PX ? this._radius : this._radius + 1;
    this._context.clearRect(Math.floor(x - reach), Math.floor(y - reach), Math.ceil(reach * 2) + 1, Math.ceil(reach * 2) + 1);
  }

  /** @param {number} seat */
  _color(seat) {
    const palette = /** @type {Palette} */ (this._palette);
    const letter = this.statuses.letters[seat];
    if (letter === HELD) return palette.held;
    if (letter === BOOKED) return palette.taken;
    if (letter === BLOCKED) return palette.blocked;
    return this.dimmed.has(this.layout.levels[seat]) ? palette.faint : palette.levels[this.layout.levels[seat]];
  }

  /** A seat's picture, painted once for all equal seats. @param {number} seat */
  _sprite(seat) {
    const color = this._color(seat);
    const free = this.statuses.letters[seat] === FREE;
    const marks = this._radius >= MARKED_FROM_PX ? this.layout.marks[seat] : 0;
    const key = `${color}|${marks}|${free}|${this.statuses.letters[seat]}`;
    let sprite = this._sprites.get(key);
    if (!sprite) {
      sprite = paintSprite(this._radius, color, marks, this.statuses.letters[seat], /** @type {Palette} */ (this._palette));
      this._sprites.set(key, sprite);
    }
    return sprite;
  }

  _density = 1;
  _radius = 1;
  /** @type {Palette | undefined} */
  _palette = undefined;
}

/**
 * @param {number} radius @param {string} color @param {number} marks @param {number} letter
 * @param {Palette} palette
 */
function paintSprite(radius, color, marks, letter, palette) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = Math.ceil(radius * 2) + 2;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const middle = canvas.width / 2;
  context.fillStyle = color;
  context.beginPath();
  if (marks & ACCESSIBLE) context.roundRect(middle - radius, middle - radius, radius * 2, radius * 2, radius * 0.45);
  else context.arc(middle, middle, radius, 0, Math.PI * 2);
  context.fill();
  if (letter === HELD) ring(context, middle, radius * 0.5, palette.ground, radius * 0.28);
  if (letter === BLOCKED) return canvas;
  if (marks & RESTRICTED) wedge(context, middle, radius, palette.ground);
  if (marks & ACCESSIBLE && letter === FREE) wheel(context, middle, radius);
  return canvas;
}

/** @param {CanvasRenderingContext2D} context @param {number} middle @param {number} radius @param {string} color @param {number} width */
function ring(context, middle, radius, color, width) {
  context.strokeStyle = color;
  context.lineWidth = width;
  context.beginPath();
  context.arc(middle, middle, radius, 0, Math.PI * 2);
  context.stroke();
}

/** A restricted view: the lower right corner of the seat is cut off. */
/** @param {CanvasRenderingContext2D} context @param {number} middle @param {number} radius @param {string} color */
function wedge(context, middle, radius, color) {
  context.fillStyle = color;
  context.globalAlpha = 0.75;
  context.beginPath();
  context.arc(middle, middle, radius * 0.78, -Math.PI / 4, (Math.PI * 3) / 4);
  context.fill();
  context.globalAlpha = 1;
}

/** The wheelchair mark, in strokes: head, back, seat, wheel. */
/** @param {CanvasRenderingContext2D} context @param {number} middle @param {number} radius */
function wheel(context, middle, radius) {
  const at = (/** @type {number} */ x, /** @type {number} */ y) => /** @type {[number, number]} */ ([middle + x * radius, middle + y * radius]);
  context.strokeStyle = context.fillStyle = "#fff";
  context.lineWidth = Math.max(1, radius * 0.16);
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  context.arc(...at(-0.12, -0.55), radius * 0.14, 0, Math.PI * 2);
  context.fill();
  context.beginPath();
  context.moveTo(...at(-0.12, -0.3));
  context.lineTo(...at(-0.08, 0.1));
  context.lineTo(...at(0.3, 0.1));
  context.lineTo(...at(0.5, 0.55));
  context.stroke();
  context.beginPath();
  context.arc(...at(-0.08, 0.28), radius * 0.4, -Math.PI * 0.1, Math.PI * 1.25);
  context.stroke();
}
