/** The seat map on a canvas: draws on changes, and emits hovered and chosen seats. */
import { Emitter } from "../kit/emitter.js";
import { listen } from "./gestures.js";
import * as overlay from "./overlay.js";
import { readPalette } from "./palette.js";
import { SEAT_RADIUS_SHARE, SeatLayer } from "./seatlayer.js";
import { Viewport } from "./viewport.js";

/** @import { Block, Box, Layout } from "./layout.js" */
/** @import { Statuses } from "./statuses.js" */

const CHOOSABLE_FROM_PX = 3.2;
const MOST_FLASHES = 300;

/**
 * @typedef {object} Topics
 * @property {number} choose a seat was tapped or pressed
 * @property {Block} standing a general-admission place was tapped
 * @property {{ seat: number, x: number, y: number } | null} point a seat is pointed at, at a place of the canvas
 * @property {number} focus a seat was reached by the keyboard
 * @property {number[]} area seats within a drawn rectangle
 */

/** @extends {Emitter<Topics>} */
export class SeatMap extends Emitter {
  /**
   * @param {HTMLCanvasElement} canvas @param {Layout} layout @param {Statuses} statuses
   * @param {{ leftText: (left: number) => string }} words
   */
  constructor(canvas, layout, statuses, words) {
    super();
    this.layout = layout;
    this.statuses = statuses;
    this.viewport = new Viewport(layout.box, layout.spacing);
    /** Seats shown as the reader's. @type {Set<number>} */
    this.mine = new Set();
    /** Seats offered instead. @type {Set<number>} */
    this.offered = new Set();
    /** Seats that a rectangle would take. @type {Set<number>} */
    this.marked = new Set();
    this.drawing = false;
    this.focused = -1;
    this._canvas = canvas;
    this._context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this._layer = new SeatLayer(layout, statuses);
    this._words = words;
    this._hovered = -1;
    /** @type {Block | null} */
    this._hoveredBlock = null;
    /** @type {Box | null} */
    this._rectangle = null;
    /** @type {Map<number, number>} */
    this._flashes = new Map();
    this._frame = 0;
    this._calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this._listen();
  }

  /** Shows only these price levels as choosable. @param {Set<number>} dimmed positions in priceLevels */
  dim(dimmed) {
    this._layer.dimmed = dimmed;
    this._layer.invalidate();
    this.redraw();
  }

  /** @param {number} seat */
  isDimmed(seat) {
    return this._layer.dimmed.has(this.layout.levels[seat]);
  }

  /** Schedules a frame; several calls make one frame. */
  redraw() {
    this._frame ||= requestAnimationFrame((nowMs) => this._draw(nowMs));
  }

  /** Shows some seats large. @param {Iterable<number>} seats */
  showSeats(seats) {
    const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
    for (const seat of seats) {
      box.left = Math.min(box.left, this.layout.xs[seat]);
      box.right = Math.max(box.right, this.layout.xs[seat]);
      box.top = Math.min(box.top, this.layout.ys[seat]);
      box.bottom = Math.max(box.bottom, this.layout.ys[seat]);
    }
    if (box.left === Infinity) return;
    const room = this.layout.spacing * 5;
    this.viewport.frame(
      { left: box.left - room, top: box.top - room, right: box.right + room, bottom: box.bottom + room },
      this._calm,
    );
    this.redraw();
  }

  /** @param {number} factor */
  zoom(factor) {
    this.viewport.zoom(factor);
    this.redraw();
  }

  fit() {
    this.viewport.frame(this.layout.box, this._calm);
    this.redraw();
  }

  _listen() {
    const canvas = this._canvas;
    new ResizeObserver(() => this._resize()).observe(canvas);
    const repaint = () => {
      this._layer.paintWith((this._palette = readPalette(this.layout.priceLevels)));
      this.redraw();
    };
    addEventListener("themechange", repaint);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
    repaint();
    this.statuses.on("changed", ({ seats, taken }) => this._changed(seats, taken));
    listen(canvas, this._gestureHandlers(), () => this.drawing);
    canvas.addEventListener("focus", () => this.redraw());
    canvas.addEventListener("blur", () => this.redraw());
  }

  /** @returns {import("./gestures.js").GestureHandlers} */
  _gestureHandlers() {
    return {
      pan: (dx, dy) => this._moved(() => this.viewport.pan(dx, dy)),
      zoom: (factor, x, y) => this._moved(() => this.viewport.zoom(factor, x, y)),
      fit: () => this.fit(),
      tap: (x, y, touch) => this._tap(x, y, touch),
      point: (x, y) => this._point(x, y),
      left: () => this._setHover(-1, null),
      step: (dx, dy) => this._step(dx, dy),
      press: () => this.focused >= 0 && this.emit("choose", this.focused),
      drag: (box, done) => this._drag(box, done),
    };
  }

  /** @param {() => void} move */
  _moved(move) {
    move();
    this.emit("point", null);
    this.redraw();
  }

  /** @param {number[] | null} seats @param {number[]} taken */
  _changed(seats, taken) {
    if (seats) this._layer.update(seats);
    else this._layer.invalidate();
    if (!this._calm && taken.length < 50) {
      for (const seat of taken) {
        if (this._flashes.size < MOST_FLASHES && !this.mine.has(seat)) this._flashes.set(seat, performance.now());
      }
    }
    this.redraw();
  }

  _resize() {
    const { clientWidth, clientHeight } = this._canvas;
    if (!clientWidth || !clientHeight) return;
    this._density = Math.min(3, devicePixelRatio || 1);
    this._canvas.width = Math.round(clientWidth * this._density);
    this._canvas.height = Math.round(clientHeight * this._density);
    this.viewport.resize(clientWidth, clientHeight);
    this._layer.invalidate();
    this._draw(performance.now());
  }

  /** @param {number} x @param {number} y @param {number} slackPx */
  _seatAt(x, y, slackPx) {
    const radius = this.layout.spacing * 0.55;
    const at = this.viewport.toWorld(x, y);
    return this.layout.nearest(at.x, at.y, Math.max(radius, slackPx / this.viewport.scale));
  }

  get _seatRadiusPx() {
    return this.layout.spacing * SEAT_RADIUS_SHARE * this.viewport.scale;
  }

  /** @param {number} x @param {number} y @param {boolean} touch */
  _tap(x, y, touch) {
    const at = this.viewport.toWorld(x, y);
    const seat = this._seatAt(x, y, touch ? 14 : 4);
    if (seat >= 0 && this._seatRadiusPx >= CHOOSABLE_FROM_PX) {
      this.emit("choose", seat);
      if (touch) this._tellPoint(seat);
      return;
    }
    const standing = this.layout.standingAt(at.x, at.y);
    if (standing) return this.emit("standing", standing);
    if (seat >= 0) this.viewport.frame(this.layout.blocks[this.layout.sectionOf[seat]].box, this._calm);
    if (seat >= 0 && this._framedRadiusPx() < CHOOSABLE_FROM_PX) this.viewport.reveal(at.x, at.y);
    this.emit("point", null);
    this.redraw();
  }

  /** The size of a seat after the current animation. */
  _framedRadiusPx() {
    return this.layout.spacing * SEAT_RADIUS_SHARE * this.viewport.aim;
  }

  /** @param {number} x @param {number} y */
  _point(x, y) {
    const seat = this._seatAt(x, y, 3);
    const at = this.viewport.toWorld(x, y);
    const block = seat >= 0 ? this.layout.blocks[this.layout.sectionOf[seat]] : this.layout.standingAt(at.x, at.y);
    this._setHover(this._seatRadiusPx >= CHOOSABLE_FROM_PX ? seat : -1, block);
    this._canvas.style.cursor = block ? "pointer" : "grab";
  }

  /** @param {number} seat @param {Block | null} block */
  _setHover(seat, block) {
    if (seat === this._hovered && block === this._hoveredBlock) return;
    [this._hovered, this._hoveredBlock] = [seat, block];
    if (seat >= 0) this._tellPoint(seat);
    else this.emit("point", null);
    this.redraw();
  }

  /** @param {number} seat */
  _tellPoint(seat) {
    this.emit("point", { seat, ...this.viewport.toScreen(this.layout.xs[seat], this.layout.ys[seat]) });
  }

  /** @param {number} dx @param {number} dy */
  _step(dx, dy) {
    const middle = this.viewport.toWorld(this.viewport.width / 2, this.viewport.height / 2);
    const reach = Math.max(this.layout.width, this.layout.height);
    const next = this.focused < 0
      ? this.layout.nearest(middle.x, middle.y, reach, (seat) => this.statuses.isFree(seat))
      : this.layout.step(this.focused, dx, dy);
    if (next < 0) return;
    this.focused = next;
    this.viewport.reveal(this.layout.xs[next], this.layout.ys[next]);
    this.emit("focus", next);
    this.redraw();
  }

  /** @param {Box} box @param {boolean} done */
  _drag(box, done) {
    this._rectangle = done ? null : box;
    const from = this.viewport.toWorld(box.left, box.top);
    const to = this.viewport.toWorld(box.right, box.bottom);
    this.marked.clear();
    this.layout.within({ left: from.x, top: from.y, right: to.x, bottom: to.y }, (seat) => this.marked.add(seat));
    if (done) this.emit("area", [...this.marked]);
    this.redraw();
  }

  /** @param {number} nowMs */
  _draw(nowMs) {
    cancelAnimationFrame(this._frame);
    this._frame = 0;
    const gliding = this.viewport.tick(nowMs);
    const context = this._context;
    const palette = this._palette;
    context.setTransform(this._density, 0, 0, this._density, 0, 0);
    context.fillStyle = palette.ground;
    context.fillRect(0, 0, this.viewport.width, this.viewport.height);
    overlay.drawGround(context, this.layout, this.viewport, palette, this._seatRadiusPx < 7 ? this._hoveredBlock : null);
    this._layer.draw(context, this.viewport, this._density);
    overlay.drawNumbers(context, this.layout, this.viewport, this.statuses);
    overlay.drawMine(context, this.layout, this.viewport, palette, this.mine);
    overlay.drawNames(context, this.layout, this.viewport, palette, this.statuses, this._words.leftText);
    this._drawRings(context);
    overlay.drawFlashes(context, this.layout, this.viewport, palette, this._flashes, nowMs);
    if (gliding || this._flashes.size) this.redraw();
    this._markDrawn();
  }

  /** Marks when the map with its statuses is on the screen: the frame after the one that drew it. */
  _markDrawn() {
    if (this._drawn || this.statuses.version === null) return;
    this._drawn = true;
    requestAnimationFrame(() => performance.mark("map-drawn"));
  }

  /** @param {CanvasRenderingContext2D} context */
  _drawRings(context) {
    const { layout, viewport, _palette: palette } = this;
    for (const seat of this.offered) overlay.drawRing(context, layout, viewport, seat, palette.mine, 3);
    for (const seat of this.marked) overlay.drawRing(context, layout, viewport, seat, palette.focus, 1.5);
    if (this._hovered >= 0) overlay.drawRing(context, layout, viewport, this._hovered, palette.ink, 2);
    if (this.focused >= 0 && document.activeElement === this._canvas) {
      overlay.drawRing(context, layout, viewport, this.focused, palette.focus, 3);
    }
    if (!this._rectangle) return;
    const { left, top, right, bottom } = this._rectangle;
    context.strokeStyle = palette.focus;
    context.setLineDash([6, 4]);
    context.strokeRect(left, top, right - left, bottom - top);
    context.setLineDash([]);
  }

  _drawn = false;
  _density = 1;
  _palette = readPalette([]);
}
