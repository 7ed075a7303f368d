/** The card beside the hovered seat. */
import { fill, h, show } from "../kit/dom.js";
import { moneyText } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { markTexts, seatText, stateText } from "./words.js";

/** @import { SeatMap } from "../map/seatmap.js" */
/** @import { Basket } from "./basket.js" */

const GAP_PX = 14;

export class SeatCard {
  /** @param {HTMLElement} element @param {SeatMap} map @param {Basket} basket */
  constructor(element, map, basket) {
    this._element = element;
    this._map = map;
    this._basket = basket;
  }

  /** @param {{ seat: number, x: number, y: number } | null} at */
  show(at) {
    show(this._element, at !== null);
    if (!at) return;
    const { layout, statuses } = this._map;
    const level = layout.priceLevel(at.seat);
    const mine = this._basket.seats.has(at.seat) || this._map.mine.has(at.seat);
    fill(
      this._element,
      h("strong", null, layout.section(at.seat).name),
      h("div", null, seatText(layout, at.seat)),
      h("div", { class: "soft" }, `${level.name} · ${stateText(layout, statuses, at.seat, mine)}`),
      level.fee.amount > 0 && statuses.isFree(at.seat) && h("div", { class: "soft small" }, t("feeIncluded", { fee: moneyText(level.fee) })),
      ...markTexts(layout, at.seat).map((text) => h("div", { class: "small" }, text)),
    );
    this._place(at);
  }

  /** @param {{ x: number, y: number }} at */
  _place(at) {
    const { width, height } = this._map.viewport;
    const { offsetWidth: w, offsetHeight: tall } = this._element;
    const left = at.x + GAP_PX + w > width ? at.x - GAP_PX - w : at.x + GAP_PX;
    const top = at.y + GAP_PX + tall > height ? at.y - GAP_PX - tall : at.y + GAP_PX;
    this._element.style.left = `${Math.max(4, left)}px`;
    this._element.style.top = `${Math.max(4, top)}px`;
  }
}
