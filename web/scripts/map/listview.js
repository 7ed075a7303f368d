/** The same seats as a list of sections, rows and buttons: for screen readers and readers who prefer text. */
import { fill, h } from "../kit/dom.js";
import { moneyText, numberText, totalOf } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { markTexts, rowText, seatLabel } from "../buy/words.js";

/** @import { Block } from "./layout.js" */
/** @import { SeatMap } from "./seatmap.js" */
/** @import { Basket } from "../buy/basket.js" */

export class ListView {
  /** @param {HTMLElement} place @param {SeatMap} map @param {Basket} basket */
  constructor(place, map, basket) {
    this._map = map;
    this._basket = basket;
    /** @type {Map<Block, HTMLDetailsElement>} */
    this._opened = new Map();
    this._counts = new Map();
    fill(place, ...map.layout.blocks.map((block) => (block.section.kind === "SEATED" ? this._section(block) : null)));
    map.statuses.on("changed", ({ seats }) => this._changed(seats));
    basket.on("changed", () => this._changed([]));
    this._count();
  }

  /** @param {Block} block */
  _section(block) {
    const count = h("span", { class: "soft number" });
    this._counts.set(block, count);
    const details = h("details", null, h("summary", null, h("span", null, block.section.name), count));
    details.addEventListener("toggle", () => {
      if (!details.open) {
        this._opened.delete(block);
        details.lastElementChild?.remove();
      } else if (!this._opened.has(block)) {
        this._opened.set(block, details);
        details.append(h("div", null, ...this._rows(block)));
      }
    });
    return details;
  }

  /** @param {Block} block */
  _rows(block) {
    const { layout } = this._map;
    /** @type {Map<string, number[]>} */
    const rows = new Map();
    for (let seat = block.first; seat < block.end; seat += 1) {
      rows.set(layout.rows[seat], [...(rows.get(layout.rows[seat]) ?? []), seat]);
    }
    return [...rows].map(([name, seats]) =>
      h("div", { class: "list-row", role: "group", "aria-label": rowText(name) }, h("h4", null, rowText(name)), h("div", { class: "list-seats" }, seats.map((seat) => this._button(seat)))),
    );
  }

  /** @param {number} seat */
  _button(seat) {
    const { layout, statuses } = this._map;
    const mine = this._basket.seats.has(seat);
    const level = layout.priceLevel(seat);
    const label = [seatLabel(layout.numbers[seat]), level.name, moneyText(totalOf(level)), ...markTexts(layout, seat)].join(", ");
    return h(
      "button",
      {
        type: "button", "data-seat": seat, "aria-label": label, title: label, "aria-pressed": String(mine),
        disabled: !mine && !statuses.isFree(seat), onclick: () => this._basket.toggle(seat),
      },
      layout.shortNumber(seat),
    );
  }

  /** @param {number[] | null} seats that differ; null where any may */
  _changed(seats) {
    this._count();
    const touched = seats && seats.length ? new Set(seats.map((seat) => this._map.layout.sectionOf[seat])) : null;
    for (const [block, details] of this._opened) {
      if (touched && !touched.has(this._map.layout.blocks.indexOf(block))) continue;
      for (const button of details.querySelectorAll("button")) this._repaint(button);
    }
  }

  /** @param {HTMLButtonElement} button */
  _repaint(button) {
    const seat = Number(button.dataset["seat"]);
    const mine = this._basket.seats.has(seat);
    button.disabled = !mine && !this._map.statuses.isFree(seat);
    button.setAttribute("aria-pressed", String(mine));
  }

  _count() {
    for (const [block, count] of this._counts) {
      const left = this._map.statuses.sections.get(block.section.id)?.available;
      count.textContent = left === undefined ? "" : t("left", { n: numberText(left) });
    }
  }
}
