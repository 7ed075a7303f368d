/** The price of each category of a plan, read by the reader's locale and shown as buyers will see it. */
import { priceText } from "../buy/head.js";
import { swatch } from "../buy/legend.js";
import { amountProblem, readAmount } from "../kit/amounts.js";
import { h } from "../kit/dom.js";
import { numberText } from "../kit/format.js";
import { t } from "../kit/i18n.js";

/** @import { Money, Refusal } from "../schema.js" */
/** @import { Category, PlanFile } from "./plan.js" */

// createEvent names the field of the first fault: "priceLevels[1].price.amount: ...".
const REFUSED = /^(priceLevels|generalAdmission)\[(\d+)\]\.(price|fee)\.\w+: (.+)$/s;

export class PriceTable {
  /** @param {PlanFile} plan @param {HTMLSelectElement} currency */
  constructor(plan, currency) {
    this._currency = currency;
    this._rows = plan.categories.map((category) => new PriceRow(category, plan.standing.includes(category.name), () => currency.value));
    currency.addEventListener("change", () => this._rows.forEach((row) => row.show()));
    this.element = h(
      "div",
      { class: "stack" },
      h("h3", null, `${plan.name}: ${t("organise.seats", { n: numberText(plan.seatCount) })}`),
      h(
        "div",
        { class: "priced" },
        [t("find.category"), t("price"), t("organise.feeOrCapacity"), t("organise.buyersSee")].map((name) => h("span", null, name)),
        this._rows.flatMap((row) => row.cells),
      ),
    );
  }

  /** The prices of CreateEventInput, or null where one is unreadable: its field has the focus and the reason beside it. */
  read() {
    const unreadable = this._rows.map((row) => row.show()).find(Boolean);
    if (unreadable) {
      unreadable.focus();
      return null;
    }
    const seated = this._rows.filter((row) => row.forSale && !row.standing);
    const standing = this._rows.filter((row) => row.forSale && row.standing);
    return {
      priceLevels: seated.map((row) => ({ category: row.name, price: row.price.money, fee: row.extra.money })),
      generalAdmission: standing.map((row) => ({ name: row.name, capacity: Number(row.extra.input.value), price: row.price.money })),
    };
  }

  /** Shows a refusal beside the field that it names; whether there is one. @param {Refusal} refusal */
  refused(refusal) {
    const [, list, number, field, sentence] = REFUSED.exec(refusal.message) ?? [];
    const row = this._rows.filter((one) => one.forSale && one.standing === (list === "generalAdmission"))[Number(number)];
    if (!list || !row) return false;
    const refused = field === "fee" ? row.extra : row.price;
    refused.complain(sentence);
    refused.input.focus();
    return true;
  }
}

/** A category: whether it is for sale, its price, its fee or capacity, and what buyers will see. */
class PriceRow {
  /** @param {Category} category @param {boolean} standing @param {() => string} currency */
  constructor(category, standing, currency) {
    const { name } = category;
    const onInput = () => this.show();
    this.name = name;
    this.standing = standing;
    this.price = new AmountField(t("organise.priceOf", { name }), "50", currency, onInput);
    this.extra = standing
      ? new AmountField(t("organise.capacityOf", { name }), "500", null, onInput)
      : new AmountField(t("organise.feeOf", { name }), "0", currency, onInput);
    this._shown = h("output", { class: "number" });
    this._offered = h("input", { type: "checkbox", checked: true, "aria-label": t("organise.forSale", { name }), onchange: onInput });
    const seats = standing ? "" : t("organise.seats", { n: numberText(category.seats) });
    this.cells = [
      h("label", { class: "row" }, this._offered, swatch(category.color), name, h("span", { class: "soft small" }, seats)),
      this.price.element,
      this.extra.element,
      this._shown,
    ];
    this.show();
  }

  /** Without a price a category is not for sale. */
  get forSale() {
    return this._offered.checked;
  }

  /** Shows the price with its fee, or what is wrong; the field that is wrong. @returns {HTMLInputElement | null} */
  show() {
    for (const field of [this.price, this.extra]) field.input.disabled = !this.forSale;
    if (!this.forSale) {
      for (const field of [this.price, this.extra]) field.complain("");
      this._shown.textContent = t("seat.blocked");
      return null;
    }
    const wrong = [this.price, this.extra].filter((field) => !field.check());
    const fee = this.standing ? 0 : this.extra.money.amount;
    const total = { ...this.price.money, amount: this.price.money.amount + fee };
    this._shown.textContent = wrong.length ? "" : priceText(total, total);
    return wrong[0]?.input ?? null;
  }
}

/** A field for an amount, with the reason beside it while it cannot be read. */
class AmountField {
  /** @param {string} label @param {string} value @param {(() => string) | null} currency null: a number of places @param {() => void} changed */
  constructor(label, value, currency, changed) {
    this._currency = currency;
    this._problem = h("span", { class: "small field-problem", role: "alert", hidden: true });
    this._problem.id = `problem-${(AmountField._count += 1)}`;
    const kind = currency ? { inputMode: "decimal" } : { type: "number", min: 1 };
    this.input = h("input", { ...kind, required: true, value, "aria-label": label, "aria-describedby": this._problem.id, oninput: changed });
    this.element = h("div", null, this.input, this._problem);
    /** @type {Money} */
    this.money = { amount: 0, currency: "" };
  }

  /** Reads the field; whether it could be read. */
  check() {
    if (!this._currency) return this.input.validity.valid;
    const currency = this._currency();
    const read = readAmount(this.input.value, currency);
    this.money = { amount: read.amount ?? 0, currency };
    this.complain(read.fault ? amountProblem(read.fault, currency) : "");
    return !read.fault;
  }

  /** @param {string} sentence "" takes the complaint back */
  complain(sentence) {
    this._problem.textContent = sentence;
    this._problem.hidden = !sentence;
    this.input.setAttribute("aria-invalid", String(Boolean(sentence)));
  }

  static _count = 0;
}
