/** The legend of price levels; each can be shown or hidden. */
import { fill, h, svg } from "../kit/dom.js";
import { moneyText, totalOf } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { levelColor } from "../map/palette.js";

/** @import { SeatMap } from "../map/seatmap.js" */

/** @param {HTMLElement} place @param {SeatMap} map */
export function showLegend(place, map) {
  const { priceLevels } = map.layout;
  const used = new Set(map.layout.levels);
  for (const block of map.layout.blocks) used.add(block.level);
  /** @type {Set<number>} */
  const dimmed = new Set();
  const chips = priceLevels.map((level, at) => {
    const chip = h(
      "button",
      { type: "button", "aria-pressed": "true", onclick: () => toggle(at) },
      swatch(levelColor(level, at)),
      `${level.name} ${moneyText(totalOf(level))}`,
    );
    chip.hidden = !used.has(at);
    return chip;
  });
  const toggle = (/** @type {number} */ at) => {
    if (!dimmed.delete(at)) dimmed.add(at);
    chips[at].setAttribute("aria-pressed", String(!dimmed.has(at)));
    map.dim(new Set(dimmed));
  };
  fill(place, ...chips);
}

/** @param {string} color */
export function swatch(color) {
  return svg("svg", { class: "swatch", viewBox: "0 0 10 10", "aria-hidden": "true" }, svg("circle", { cx: 5, cy: 5, r: 5, fill: color }));
}

/** The key of shapes and greys. @param {HTMLElement} place @param {{ accessible: boolean, restricted: boolean }} has */
export function showKey(place, has) {
  const picture = (/** @type {SVGElement[]} */ ...shapes) => svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, ...shapes);
  const dot = (/** @type {string} */ fillColor) => svg("circle", { cx: 8, cy: 8, r: 6.5, fill: fillColor });
  const entries = [
    h("span", null, picture(dot("var(--map-mine)"), svg("path", { d: "M5 8.2l2.2 2.4L11 5.6", fill: "none", stroke: "var(--map-mine-ink)", "stroke-width": 1.6 })), t("key.mine")),
    h("span", null, picture(dot("var(--map-held)"), svg("circle", { cx: 8, cy: 8, r: 3, fill: "none", stroke: "var(--map-ground)", "stroke-width": 1.8 })), t("key.held")),
    h("span", null, picture(dot("var(--map-taken)")), t("key.booked")),
    has.accessible && h("span", null, picture(svg("rect", { x: 1.5, y: 1.5, width: 13, height: 13, rx: 3, fill: "var(--soft)" })), t("key.accessible")),
    has.restricted && h("span", null, picture(dot("var(--soft)"), svg("path", { d: "M12.6 3.4A6.5 6.5 0 0 1 3.4 12.6z", fill: "var(--map-ground)" })), t("key.restricted")),
  ];
  fill(place, ...entries);
}
