/** Everything drawn under and over the seats: sections, stage, names, chosen seats, focus, recent changes. */
import { SEAT_RADIUS_SHARE } from "./seatlayer.js";

/** @import { Block, Layout } from "./layout.js" */
/** @import { Viewport } from "./viewport.js" */
/** @import { Palette } from "./palette.js" */
/** @import { Statuses } from "./statuses.js" */

const NAMES_UNTIL_PX = 7;
const NUMBERS_FROM_PX = 9;
export const FLASH_MS = 900;
const FONT = "system-ui, sans-serif";

/**
 * Draws sections and stages.
 * @param {CanvasRenderingContext2D} context @param {Layout} layout @param {Viewport} viewport
 * @param {Palette} palette @param {Block | null} hovered
 */
export function drawGround(context, layout, viewport, palette, hovered) {
  for (const area of layout.areas) {
    if (area.sectionId) continue;
    const at = viewport.toScreen(area.x, area.y);
    context.fillStyle = palette.stage;
    context.beginPath();
    context.roundRect(at.x, at.y, area.width * viewport.scale, area.height * viewport.scale, 8);
    context.fill();
    const middle = { x: area.x + area.width / 2, y: area.y + area.height / 2 };
    drawText(context, viewport, middle, area.name, palette.stageInk, Math.min(22, (area.width * viewport.scale) / 6));
  }
  for (const block of layout.blocks) {
    if (block.box.right <= block.box.left) continue;
    context.beginPath();
    for (const { x, y } of block.outline) {
      const at = viewport.toScreen(x, y);
      context.lineTo(at.x, at.y);
    }
    context.closePath();
    const standing = block.section.kind !== "SEATED";
    context.globalAlpha = standing ? 0.3 : block === hovered ? 0.26 : 0.13;
    context.fillStyle = palette.levels[block.level];
    context.fill();
    context.globalAlpha = standing || block === hovered ? 0.9 : 0.3;
    context.strokeStyle = palette.levels[block.level];
    context.lineWidth = block === hovered ? 2 : 1;
    context.stroke();
    context.globalAlpha = 1;
  }
}

/**
 * Draws the sections' names and free places while seats are too small to distinguish.
 * @param {CanvasRenderingContext2D} context @param {Layout} layout @param {Viewport} viewport
 * @param {Palette} palette @param {Statuses} statuses @param {(left: number) => string} leftText
 */
export function drawNames(context, layout, viewport, palette, statuses, leftText) {
  const radius = layout.spacing * SEAT_RADIUS_SHARE * viewport.scale;
  for (const block of layout.blocks) {
    const standing = block.section.kind !== "SEATED";
    if (!standing && (radius > NAMES_UNTIL_PX || layout.blocks.length < 2)) continue;
    const width = (block.box.right - block.box.left) * viewport.scale;
    const name = standing ? block.section.name : block.label;
    const size = Math.min(standing ? 20 : 15, (width * (standing ? 0.8 : 0.6)) / (name.length * 0.62));
    if (size < 6.5) continue;
    const left = statuses.sections.get(block.section.id)?.available;
    const plate = !standing;
    drawText(context, viewport, block.middle, name, palette.ink, size, { up: 0.55, plate: plate ? palette.ground : "" });
    const text = left === undefined ? "" : leftText(left);
    const small = Math.min(size * 0.85, (width * 0.8) / (text.length * 0.55));
    if (!text || small < 8.5) continue;
    drawText(context, viewport, block.middle, text, palette.ink, small, {
      up: -0.75, light: true, plate: plate ? palette.ground : "",
    });
  }
}

/**
 * Draws seat numbers where they are legible.
 * @param {CanvasRenderingContext2D} context @param {Layout} layout @param {Viewport} viewport
 * @param {Statuses} statuses
 */
export function drawNumbers(context, layout, viewport, statuses) {
  const radius = layout.spacing * SEAT_RADIUS_SHARE * viewport.scale;
  if (radius < NUMBERS_FROM_PX) return;
  context.font = `600 ${radius * 0.85}px ${FONT}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillStyle = "#fff";
  layout.within(viewport.box(), (seat) => {
    if (!statuses.isFree(seat) || layout.marks[seat]) return;
    const at = viewport.toScreen(layout.xs[seat], layout.ys[seat]);
    context.fillText(layout.shortNumber(seat), at.x, at.y + radius * 0.05);
  });
}

/**
 * Draws the reader's seats with a tick.
 * @param {CanvasRenderingContext2D} context @param {Layout} layout @param {Viewport} viewport
 * @param {Palette} palette @param {Iterable<number>} seats
 */
export function drawMine(context, layout, viewport, palette, seats) {
  const radius = Math.max(3.5, layout.spacing * 0.48 * viewport.scale);
  for (const seat of seats) {
    const at = viewport.toScreen(layout.xs[seat], layout.ys[seat]);
    disc(context, at, radius + 1.5, palette.ground);
    disc(context, at, radius, palette.mine);
    if (radius < 5) continue;
    context.strokeStyle = palette.mineInk;
    context.lineWidth = Math.max(1.5, radius * 0.2);
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    context.moveTo(at.x - radius * 0.42, at.y + radius * 0.02);
    context.lineTo(at.x - radius * 0.1, at.y + radius * 0.36);
    context.lineTo(at.x + radius * 0.45, at.y - radius * 0.34);
    context.stroke();
  }
}

/**
 * Draws a ring around the hovered or focused seat.
 * @param {CanvasRenderingContext2D} context @param {Layout} layout @param {Viewport} viewport
 * @param {number} seat @param {string} color @param {number} width
 */
export function drawRing(context, layout, viewport, seat, color, width) {
  const at = viewport.toScreen(layout.xs[seat], layout.ys[seat]);
  context.strokeStyle = color;
  context.lineWidth = width;
  context.beginPath();
  context.arc(at.x, at.y, Math.max(5, layout.spacing * 0.52 * viewport.scale) + width / 2, 0, Math.PI * 2);
  context.stroke();
}

/**
 * Draws a widening ring around a seat that was just taken or is offered.
 * @param {CanvasRenderingContext2D} context @param {Layout} layout @param {Viewport} viewport
 * @param {Palette} palette @param {Map<number, number>} flashes seat to start in ms @param {number} nowMs
 */
export function drawFlashes(context, layout, viewport, palette, flashes, nowMs) {
  for (const [seat, startMs] of flashes) {
    const gone = (nowMs - startMs) / FLASH_MS;
    if (gone >= 1) {
      flashes.delete(seat);
      continue;
    }
    const at = viewport.toScreen(layout.xs[seat], layout.ys[seat]);
    context.globalAlpha = 1 - gone;
    context.strokeStyle = palette.focus;
    context.lineWidth = 2;
    context.beginPath();
    context.arc(at.x, at.y, 4 + layout.spacing * 0.4 * viewport.scale + gone * 14, 0, Math.PI * 2);
    context.stroke();
    context.globalAlpha = 1;
  }
}

/** @param {CanvasRenderingContext2D} context @param {{ x: number, y: number }} at @param {number} radius @param {string} color */
function disc(context, at, radius, color) {
  context.fillStyle = color;
  context.beginPath();
  context.arc(at.x, at.y, radius, 0, Math.PI * 2);
  context.fill();
}

/**
 * @param {CanvasRenderingContext2D} context @param {Viewport} viewport @param {{ x: number, y: number }} middle
 * @param {string} text @param {string} color @param {number} size
 * @param {{ up?: number, light?: boolean, plate?: string }} [how]
 */
function drawText(context, viewport, middle, text, color, size, { up = 0, light = false, plate = "" } = {}) {
  if (size < 6) return;
  const at = viewport.toScreen(middle.x, middle.y);
  context.font = `${light ? 450 : 650} ${size}px ${FONT}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  if (plate) {
    context.lineJoin = "round";
    context.lineWidth = size * 0.42;
    context.strokeStyle = plate;
    context.globalAlpha = 0.85;
    context.strokeText(text, at.x, at.y - size * up);
    context.globalAlpha = 1;
  }
  context.fillStyle = color;
  context.fillText(text, at.x, at.y - size * up);
}
