/** The figures of a sale, from the statuses: sold, held, revenue, and the rate. */
import { fill, h, svg } from "../kit/dom.js";
import { moneyText, numberText } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { BOOKED, HELD } from "../map/statuses.js";

/** @import { Layout } from "../map/layout.js" */
/** @import { Statuses } from "../map/statuses.js" */

const SAMPLE_EVERY_MS = 1000;
const SAMPLES = 300;

export class Sale {
  /** @param {HTMLElement} place @param {Layout} layout @param {Statuses} statuses */
  constructor(place, layout, statuses) {
    this._layout = layout;
    this._statuses = statuses;
    /** @type {{ atMs: number, sold: number, rate: number }[]} */
    this._samples = [];
    this._figures = h("div", { class: "figures" });
    this._chart = h("div", null);
    fill(place, this._figures, h("div", { class: "card" }, h("div", { class: "small soft" }, t("organise.chart")), this._chart));
    setInterval(() => this._sample(), SAMPLE_EVERY_MS);
    statuses.on("changed", () => this._soon());
    this._sample();
  }

  /** Sold, held, left and revenue. */
  count() {
    const { letters, sections } = this._statuses;
    const money = { sold: 0, held: 0, revenue: 0, left: this._statuses.available };
    for (let seat = 0; seat < letters.length; seat += 1) {
      if (letters[seat] === HELD) money.held += 1;
      if (letters[seat] !== BOOKED) continue;
      money.sold += 1;
      money.revenue += this._layout.priceLevel(seat).price.amount;
    }
    for (const block of this._layout.blocks) {
      const standing = block.section.kind === "SEATED" ? undefined : sections.get(block.section.id);
      if (!standing) continue;
      money.sold += standing.booked;
      money.held += standing.held;
      money.revenue += standing.booked * (this._layout.priceLevels[block.level]?.price.amount ?? 0);
    }
    return money;
  }

  _soon() {
    this._frame ||= requestAnimationFrame(() => {
      this._frame = 0;
      this._drawFigures();
    });
  }

  _sample() {
    this._drawFigures();
    // Before the first snapshot the number of sold tickets is unknown.
    if (this._statuses.version === null) return;
    const [atMs, { sold }] = [Date.now(), this.count()];
    this._samples.push({ atMs, sold, rate: this._rateAt(atMs, sold) });
    if (this._samples.length > SAMPLES) this._samples.shift();
    this._drawChart();
  }

  /** Tickets sold in the minute before a time, as observed by this page. @param {number} atMs @param {number} sold */
  _rateAt(atMs, sold) {
    const then = this._samples.find((sample) => atMs - sample.atMs <= 60_000);
    return then ? Math.max(0, sold - then.sold) : 0;
  }

  _drawFigures() {
    const { sold, held, revenue, left } = this.count();
    const currency = this._layout.priceLevels[0]?.price.currency ?? "USD";
    const figure = (/** @type {string} */ name, /** @type {string} */ value, /** @type {string} */ id) =>
      h("div", { class: "card figure" }, h("div", { class: "small soft" }, name), h("div", { class: "value", id }, value));
    fill(
      this._figures,
      figure(t("organise.sold"), numberText(sold), "sold"),
      figure(t("organise.held"), numberText(held), "held"),
      figure(t("organise.left"), numberText(left), "free"),
      figure(t("organise.revenue"), moneyText({ amount: revenue, currency }), "revenue"),
      figure(t("organise.rate"), numberText(this._samples[this._samples.length - 1]?.rate ?? 0), "rate"),
    );
  }

  _drawChart() {
    const [first, last] = [this._samples[0], this._samples[this._samples.length - 1]];
    const span = Math.max(last.atMs - first.atMs, 1);
    const most = Math.max(...this._samples.map(({ rate }) => rate), 1);
    const points = this._samples.map(({ atMs, rate }) => `${((atMs - first.atMs) / span) * 100},${38 - (rate / most) * 34}`);
    fill(this._chart, svg(
      "svg",
      { class: "chart", viewBox: "0 0 100 40", preserveAspectRatio: "none", role: "img", "aria-label": t("organise.chart") },
      svg("polygon", { class: "area", points: `0,40 ${points.join(" ")} 100,40` }),
      svg("polyline", { class: "line", points: points.join(" ") }),
    ));
  }

  _frame = 0;
}
