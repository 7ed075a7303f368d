/** The map's colours, from the page's style sheet and the price levels. */

/** @import { PriceLevel } from "../schema.js" */

const FALLBACKS = ["#d1495b", "#edae49", "#3f88c5", "#43aa8b", "#9d4edd", "#f3722c", "#577590", "#90be6d"];

/** @typedef {ReturnType<typeof readPalette>} Palette */

/** @param {PriceLevel} level @param {number} at */
export function levelColor(level, at) {
  return /^#[0-9a-f]{6}$/i.test(level.color ?? "") ? /** @type {string} */ (level.color) : FALLBACKS[at % FALLBACKS.length];
}

/** @param {PriceLevel[]} levels */
export function readPalette(levels) {
  const style = getComputedStyle(document.documentElement);
  const of = (/** @type {string} */ name) => style.getPropertyValue(`--map-${name}`).trim();
  return {
    levels: levels.map(levelColor),
    ground: of("ground"),
    ink: of("ink"),
    faint: of("faint"),
    held: of("held"),
    taken: of("taken"),
    blocked: of("blocked"),
    mine: of("mine"),
    mineInk: of("mine-ink"),
    stage: of("stage"),
    stageInk: of("stage-ink"),
    focus: of("focus"),
  };
}
