/** The selection panel beside the map: best available, standing places, chosen seats. */
import { fill, h } from "../kit/dom.js";
import { moneyText, numberText, totalOf } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { levelColor } from "../map/palette.js";
import { swatch } from "./legend.js";
import { problemNotice } from "./problem.js";
import { placeText, seatText } from "./words.js";

/** @import { EventDetail, SeatsUnavailable, Selection } from "../schema.js" */
/** @import { Basket } from "./basket.js" */
/** @import { Purchase } from "./purchase.js" */
/** @import { Layout } from "../map/layout.js" */
/** @import { Statuses } from "../map/statuses.js" */

/**
 * @typedef {object} Context
 * @property {EventDetail["status"]} status
 * @property {Layout} layout
 * @property {Statuses} statuses
 * @property {Basket} basket
 * @property {Purchase} purchase
 * @property {(selection: Selection) => void} hold
 */

export class Tray {
  /** @param {Context} context */
  constructor(context) {
    this._context = context;
    this._notice = h("div", { class: "notice", role: "status", hidden: true });
    this._chosen = h("div", { class: "stack" });
    this._left = h("span", { class: "badge", id: "left" });
    this.element = h(
      "fieldset",
      { class: "stack bare" },
      h("div", { class: "card stack" }, h("div", { class: "spread" }, h("h2", null, t("yourSeats")), this._left), this._notice, this._chosen),
      ...(context.layout.seatCount ? [this._bestAvailable()] : []),
      ...context.layout.blocks.filter((block) => block.section.kind !== "SEATED").map((block) => this._standing(block)),
    );
    this._status = context.status;
    context.basket.on("changed", () => this.draw());
    context.basket.on("full", (limit) => this.say(t("limitReached", { n: limit }), "warn"));
    context.basket.on("lost", (seats) => this.say(t("justTaken", { seats: seats.map((seat) => seatText(context.layout, seat)).join("; ") }), "warn"));
    context.statuses.on("changed", () => this._drawLeft());
    this.draw();
    this._drawLeft();
  }

  /** What can be held follows from the event's status, which the clock changes. @param {EventDetail["status"]} status */
  become(status) {
    if (status === this._status) return;
    if (this._context.purchase.problem?.code === "NOT_ON_SALE") this._context.purchase.problem = null;
    this._status = status;
    this.draw();
  }

  /** @param {string} text @param {"" | "good" | "warn" | "bad"} [kind] @param {HTMLElement[]} [actions] */
  say(text, kind = "", actions = []) {
    this._notice.className = `notice stack ${kind}`;
    this._notice.hidden = !text;
    fill(this._notice, text, ...actions);
  }

  /** Offers alternatives for seats that are taken. @param {SeatsUnavailable} answer @param {() => void} take */
  offer(answer, take) {
    if (!answer.alternatives.length) return this.say(answer.message, "warn");
    const seats = answer.alternatives.map((seat) => placeText(seat)).join("; ");
    const button = h("button", { type: "button", class: "main-action", id: "take-instead", onclick: take }, t("takeInstead"));
    this.say(`${answer.message} ${t("freeNow", { seats })}`, "warn", [button]);
  }

  draw() {
    const { basket, layout, purchase } = this._context;
    const items = [...basket.seats].map((seat) =>
      h(
        "li",
        null,
        swatch(levelColor(layout.priceLevel(seat), layout.levels[seat])),
        h("span", null, h("strong", null, layout.section(seat).name), " ", seatText(layout, seat)),
        h("span", { class: "number" }, moneyText(totalOf(layout.priceLevel(seat)))),
        h("button", { type: "button", "aria-label": t("remove", { seat: seatText(layout, seat) }), onclick: () => basket.toggle(seat) }, "✕"),
      ),
    );
    const { sums } = basket;
    const status = this._status;
    const closed = status === "ANNOUNCED" || status === "ENDED" || status === "CANCELLED" ? t(`sale.${status}`) : "";
    this.element.disabled = closed !== "";
    const hint = closed ? closed : this._isSoldOut ? t("soldOut") : layout.seatCount ? t("chooseHint", { n: basket.limit }) : t("chooseStanding", { n: basket.limit });
    fill(
      this._chosen,
      purchase.problem && !purchase.busy && problemNotice(purchase.problem),
      items.length ? h("ul", { class: "chosen" }, items) : h("p", { class: "soft small", id: "hint" }, hint),
      sums && sumLine("tickets", sums.tickets, "soft small"),
      sums && sums.fees.amount > 0 && sumLine("fees", sums.fees, "soft small"),
      sums && sumLine("total", sums.total, "total"),
      layout.seatCount > 0 && h(
        "button",
        {
          type: "button", class: "main-action wide", id: "hold", disabled: !items.length || purchase.busy || purchase.waits,
          onclick: () => this._context.hold({ seatIds: basket.ids }),
        },
        purchase.busy ? t("holding") : items.length ? t("hold", { n: items.length }) : t("holdSeats"),
      ),
    );
  }

  get _isSoldOut() {
    return this._context.statuses.version !== null && this._context.statuses.available === 0;
  }

  _drawLeft() {
    const soldOut = this._isSoldOut;
    if (soldOut !== this._wasSoldOut) this.draw();
    this._wasSoldOut = soldOut;
    this._left.textContent = t("left", { n: numberText(this._context.statuses.available) });
  }

  _bestAvailable() {
    const { layout, basket, hold } = this._context;
    const count = counter(basket.limit, 2);
    const level = h(
      "select",
      { id: "best-level" },
      h("option", { value: "" }, t("anyPrice")),
      layout.priceLevels
        .filter((_, at) => layout.levels.includes(at))
        .map((one) => h("option", { value: one.id }, `${one.name} · ${moneyText(totalOf(one))}`)),
    );
    const accessible = h("input", { type: "checkbox", id: "best-accessible" });
    const pick = () =>
      hold({
        bestAvailable: {
          quantity: count.value(),
          ...(level.value ? { priceLevelId: level.value } : {}),
          ...(accessible.checked ? { accessible: true } : {}),
        },
      });
    return h(
      "div",
      { class: "card stack" },
      h("h2", null, t("bestAvailable")),
      h("div", { class: "row" }, count.element, h("label", { class: "spoken", for: "best-level" }, t("price")), level),
      layout.marks.some((marks) => marks & 1)
        ? h("label", { class: "row small", for: "best-accessible" }, h("span", { class: "row" }, accessible, t("needAccessible")))
        : null,
      h("button", { type: "button", class: "wide", id: "best", onclick: pick }, t("findBest")),
    );
  }

  /** @param {import("../map/layout.js").Block} block */
  _standing(block) {
    const { layout, statuses, basket, hold } = this._context;
    const level = layout.priceLevels[block.level];
    const count = counter(basket.limit, 2);
    const left = h("span", { class: "badge" });
    const button = h(
      "button",
      {
        type: "button", class: "wide", "data-standing": block.section.id,
        onclick: () => hold({ generalAdmission: { sectionId: block.section.id, quantity: count.value() } }),
      },
      t("holdStanding"),
    );
    const paint = () => {
      const available = statuses.sections.get(block.section.id)?.available ?? block.section.capacity;
      left.textContent = t("left", { n: numberText(available) });
      button.disabled = available === 0;
    };
    statuses.on("changed", paint);
    paint();
    return h(
      "div",
      { class: "card stack", id: `standing-${block.section.id}` },
      h("div", { class: "spread" }, h("h2", null, block.section.name), left),
      h("div", { class: "row spread" }, h("span", null, level ? moneyText(totalOf(level)) : ""), count.element),
      button,
    );
  }

  _wasSoldOut = false;
}

/** @param {"tickets" | "fees" | "total"} name @param {import("../schema.js").Money} money @param {string} kind */
function sumLine(name, money, kind) {
  return h("div", { class: `spread ${kind}` }, h("span", null, t(name)), h("span", { class: "number", id: name }, moneyText(money)));
}

/** A number with buttons to decrease and increase it. @param {number} most @param {number} first */
export function counter(most, first) {
  let value = Math.min(first, most);
  const shown = h("output", { class: "number" }, value);
  const step = (/** @type {number} */ by) => {
    value = Math.min(most, Math.max(1, value + by));
    shown.textContent = String(value);
  };
  const element = h(
    "div",
    { class: "counter", role: "group", "aria-label": t("howMany") },
    h("button", { type: "button", "aria-label": t("fewer"), onclick: () => step(-1) }, "−"),
    shown,
    h("button", { type: "button", "aria-label": t("more"), onclick: () => step(1) }, "+"),
  );
  return { element, value: () => value };
}
