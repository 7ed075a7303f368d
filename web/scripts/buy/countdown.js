/** How long the hold lasts, by the server's clock. */
import { clockText, secondsUntil } from "../kit/clock.js";
import { h, svg } from "../kit/dom.js";
import { t } from "../kit/i18n.js";

const SOON_SECONDS = 60;
const ROUND = 2 * Math.PI * 26;

/** A ring that empties; it calls `expired` once when the time is over. */
export class Countdown {
  /** @param {() => void} expired */
  constructor(expired) {
    this._expired = expired;
    this._left = svg("circle", { class: "left", cx: 30, cy: 30, r: 26, fill: "none", "stroke-width": 7, "stroke-linecap": "round" });
    const track = svg("circle", { class: "track", cx: 30, cy: 30, r: 26, fill: "none", "stroke-width": 7 });
    this._time = h("div", { class: "time number", role: "timer", id: "countdown" });
    this.element = h(
      "div",
      { class: "countdown" },
      svg("svg", { viewBox: "0 0 60 60", "aria-hidden": "true" }, track, this._left),
      h("div", null, h("div", { class: "small soft" }, t("heldFor")), this._time),
    );
    this._expiresAt = "";
    this._whole = 1;
    this._beat = 0;
  }

  /** @param {string} expiresAt */
  until(expiresAt) {
    if (expiresAt === this._expiresAt) return;
    const seconds = secondsUntil(expiresAt);
    this._whole = Math.max(this._expiresAt ? this._whole : 1, seconds);
    this._expiresAt = expiresAt;
    clearInterval(this._beat);
    this._beat = setInterval(() => this._tick(), 250);
    this._tick();
  }

  stop() {
    clearInterval(this._beat);
    this._expiresAt = "";
  }

  _tick() {
    const seconds = secondsUntil(this._expiresAt);
    this._time.textContent = clockText(seconds);
    this._left.setAttribute("stroke-dasharray", `${(ROUND * seconds) / this._whole} ${ROUND}`);
    this.element.classList.toggle("soon", seconds <= SOON_SECONDS);
    if (seconds > 0) return;
    this.stop();
    this._expired();
  }
}
