/** The visible part of the map and its scale. Screen units are CSS pixels. */

/** @import { Box } from "./layout.js" */

const EASE_MS = 320;

export class Viewport {
  /** @param {Box} world @param {number} spacing distance between two seats */
  constructor(world, spacing) {
    this.world = world;
    this.spacing = spacing;
    this.width = 1;
    this.height = 1;
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    /** @type {{ from: number[], to: number[], startMs: number } | null} */
    this._glide = null;
    this._touched = false;
  }

  /** @param {number} width @param {number} height */
  resize(width, height) {
    const middle = this.toWorld(this.width / 2, this.height / 2);
    [this.width, this.height] = [width, height];
    if (!this._touched) return this.fit();
    [this.x, this.y] = [middle.x - width / 2 / this.scale, middle.y - height / 2 / this.scale];
    this._clamp();
  }

  /** Shows the whole map. */
  fit() {
    this._glide = null;
    [this.x, this.y, this.scale] = this._framing(this.world, 24);
  }

  /** Animates to a box. @param {Box} box @param {boolean} [atOnce] */
  frame(box, atOnce = false) {
    this._touched = true;
    const to = this._framing(box, 40);
    to[2] = Math.min(to[2], this.largest);
    if (atOnce) [this.x, this.y, this.scale] = to;
    else this._glide = { from: [this.x, this.y, this.scale], to, startMs: performance.now() };
  }

  /** The scale at which the whole map fits. */
  get smallest() {
    return this._framing(this.world, 24)[2] * 0.85;
  }

  get largest() {
    return 46 / this.spacing;
  }

  /** The target scale of the animation, else the current scale. */
  get aim() {
    return this._glide ? this._glide.to[2] : this.scale;
  }

  /** @param {number} factor @param {number} x @param {number} y a point of the screen that stays fixed */
  zoom(factor, x = this.width / 2, y = this.height / 2) {
    this._glide = null;
    this._touched = true;
    const fixed = this.toWorld(x, y);
    this.scale = Math.min(this.largest, Math.max(this.smallest, this.scale * factor));
    [this.x, this.y] = [fixed.x - x / this.scale, fixed.y - y / this.scale];
    this._clamp();
  }

  /** @param {number} dx @param {number} dy */
  pan(dx, dy) {
    this._glide = null;
    this._touched = true;
    this.x -= dx / this.scale;
    this.y -= dy / this.scale;
    this._clamp();
  }

  /** Shows a point at a scale at which seats can be distinguished. @param {number} x @param {number} y */
  reveal(x, y) {
    const closeEnough = 18 / this.spacing;
    const at = this.toScreen(x, y);
    const margin = 48;
    const inside =
      at.x > margin && at.y > margin && at.x < this.width - margin && at.y < this.height - margin;
    if (inside && this.scale >= closeEnough) return;
    const scale = Math.max(this.scale, closeEnough);
    const [w, h] = [this.width / scale / 2, this.height / scale / 2];
    this._touched = true;
    this._glide = { from: [this.x, this.y, this.scale], to: [x - w, y - h, scale], startMs: performance.now() };
  }

  /** Advances the animation. @param {number} nowMs @returns {boolean} whether it goes on */
  tick(nowMs) {
    if (!this._glide) return false;
    const { from, to, startMs } = this._glide;
    const gone = Math.min(1, Math.max(0, (nowMs - startMs) / EASE_MS));
    const eased = 1 - (1 - gone) ** 3;
    this.scale = from[2] * (to[2] / from[2]) ** eased;
    const share = from[2] === to[2] ? eased : (1 / this.scale - 1 / from[2]) / (1 / to[2] - 1 / from[2]);
    this.x = from[0] + (to[0] - from[0]) * share;
    this.y = from[1] + (to[1] - from[1]) * share;
    if (gone === 1) this._glide = null;
    return gone < 1;
  }

  /** @param {number} x @param {number} y */
  toScreen(x, y) {
    return { x: (x - this.x) * this.scale, y: (y - this.y) * this.scale };
  }

  /** @param {number} x @param {number} y */
  toWorld(x, y) {
    return { x: this.x + x / this.scale, y: this.y + y / this.scale };
  }

  /** The visible box with a margin. @param {number} [share] of the screen's size @returns {Box} */
  box(share = 0) {
    const [w, h] = [this.width / this.scale, this.height / this.scale];
    return {
      left: this.x - w * share, top: this.y - h * share,
      right: this.x + w * (1 + share), bottom: this.y + h * (1 + share),
    };
  }

  /** @param {Box} box @param {number} margin @returns {number[]} x, y, scale */
  _framing(box, margin) {
    const [w, h] = [box.right - box.left || 1, box.bottom - box.top || 1];
    const room = (/** @type {number} */ size) => Math.max(size - 2 * margin, size * 0.6);
    const scale = Math.min(room(this.width) / w, room(this.height) / h);
    const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
    return [x - this.width / 2 / scale, y - this.height / 2 / scale, scale];
  }

  /** Keeps the middle of the screen inside the map. */
  _clamp() {
    const [w, h] = [this.width / this.scale / 2, this.height / this.scale / 2];
    this.x = Math.min(this.world.right, Math.max(this.world.left, this.x + w)) - w;
    this.y = Math.min(this.world.bottom, Math.max(this.world.top, this.y + h)) - h;
  }
}
