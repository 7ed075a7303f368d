/** How long until tickets are sold, by the server's clock. */
import { clockText, secondsUntil } from "../kit/clock.js";
import { h } from "../kit/dom.js";
import { t } from "../kit/i18n.js";

const DAY_SECONDS = 86_400;

/** Counts down to the start of a sale; it stops by itself. */
export class Opening {
  constructor() {
    this._time = h("strong", { class: "number", role: "timer", id: "opens-in" });
    this.element = h("p", { class: "notice", hidden: true }, t("opensIn"), " ", this._time);
    this._beat = 0;
  }

  /** @param {string | null} onSaleAt null where there is nothing to count down to */
  until(onSaleAt) {
    clearInterval(this._beat);
    this.element.hidden = onSaleAt === null;
    if (onSaleAt === null) return;
    const tick = () => {
      const seconds = secondsUntil(onSaleAt);
      const days = Math.floor(seconds / DAY_SECONDS);
      this._time.textContent = days > 1 ? t("days", { n: days }) : clockText(seconds);
      if (seconds === 0) clearInterval(this._beat);
    };
    this._beat = setInterval(tick, 250);
    tick();
  }
}
