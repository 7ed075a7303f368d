/** The organiser's dashboard of one event: live sales, a map to block seats, publishing, waiting room. */
import { statusBadge } from "../buy/head.js";
import { problemText } from "../buy/words.js";
import { request, RequestFailed } from "../graphql/client.js";
import { fill, h } from "../kit/dom.js";
import { dateTimeText, numberText } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { Layout } from "../map/layout.js";
import { SeatMap } from "../map/seatmap.js";
import { Statuses } from "../map/statuses.js";
import { watchSeats } from "../map/watch.js";
import { disputesOf } from "./disputes.js";
import { Sale } from "./sale.js";

/** @import { EventResult, OrganisedEvent } from "../schema.js" */

export class Dashboard {
  /** @param {OrganisedEvent} event */
  constructor(event) {
    this._event = event;
    this._problem = h("div", { class: "notice", role: "status", hidden: true });
    this._head = h("div", { class: "card stack" });
    this._sale = h("div", { class: "organise-place" });
    this._canvas = h("canvas", { tabIndex: 0, role: "application", "aria-label": t("mapLabel") });
    this._selection = h("div", { class: "row" });
    this.element = h(
      "section",
      { class: "organise-place", id: "dashboard" },
      this._head,
      this._problem,
      event.status === "DRAFT" ? false : disputesOf(event.id),
      this._sale,
      h("div", { class: "card map-card drawing" },
        h("div", { class: "map-tools" }, h("span", { class: "small soft" }, t("organise.draw")), this._selection),
        h("div", { class: "map-place" }, this._canvas)),
    );
    this._drawHead();
    this._openMap();
  }

  async _openMap() {
    const layout = await Layout.load(this._event);
    const statuses = new Statuses(layout.seatCount);
    const map = new SeatMap(this._canvas, layout, statuses, { leftText: (n) => t("left", { n: numberText(n) }) });
    map.drawing = true;
    map.on("area", (seats) => this._drawSelection(map, seats));
    const watch = watchSeats(this._event.id, statuses);
    // A draft has no statuses to watch before it is published.
    this._awake = () => statuses.version === null && watch.again();
    new Sale(this._sale, layout, statuses);
    this._drawSelection(map, []);
    Object.assign(window, { boxoffice: { map, statuses } });
  }

  /** @param {SeatMap} map @param {number[]} seats */
  _drawSelection(map, seats) {
    const block = async (/** @type {boolean} */ blocked) => {
      const seatIds = seats.map((seat) => map.layout.idOf(seat));
      await this._run("BlockSeats", "blockSeats", { seatIds, blocked });
      map.marked.clear();
      map.redraw();
      this._drawSelection(map, []);
    };
    const button = (/** @type {string} */ id, /** @type {string} */ text, /** @type {boolean} */ blocked) =>
      h("button", { type: "button", id, disabled: !seats.length, onclick: () => block(blocked) }, text);
    fill(this._selection, h("span", { class: "badge" }, t("organise.chosen", { n: numberText(seats.length) })),
      button("block", t("organise.block"), true), button("unblock", t("organise.unblock"), false));
  }

  _drawHead() {
    const event = this._event;
    const ended = event.status === "CANCELLED" || event.status === "ENDED";
    fill(
      this._head,
      h("div", { class: "spread" }, h("h2", null, event.name), statusBadge(event.status)),
      h("p", { class: "soft small" }, `${dateTimeText(event.startsAt, event.timezone)} · ${event.venue.name}, ${event.venue.city}`),
      h("div", { class: "row" },
        h("a", { class: "button", href: `/events/${event.id}` }, t("organise.seePage")),
        event.status === "DRAFT" && h("button", { type: "button", class: "main-action", id: "publish", onclick: () => this._run("PublishEvent", "publishEvent") }, t("organise.publish")),
        !ended && this._cancelButton()),
      !ended && this._waitingRoom(),
    );
  }

  /** Cancelling refunds all buyers, so it needs a second click. */
  _cancelButton() {
    const button = h("button", { type: "button", class: "danger", id: "cancel" }, t("organise.cancel"));
    button.onclick = () => {
      button.textContent = t("organise.cancelSure");
      button.onclick = () => this._run("CancelEvent", "cancelEvent");
    };
    return button;
  }

  _waitingRoom() {
    const { waitingRoom } = this._event;
    const rate = h("input", { type: "number", min: 1, max: 1_000_000, value: String(waitingRoom.admitPerMinute || 600), id: "rate-input" });
    const hours = h("input", { type: "number", min: 0, max: 720, step: "any", value: String(waitingRoom.preQueueSeconds / 3600), id: "pre-queue-input" });
    const configure = (/** @type {boolean} */ enabled) =>
      this._run("ConfigureWaitingRoom", "configureWaitingRoom", {
        enabled,
        admitPerMinute: Number(rate.value),
        preQueueSeconds: Math.round(Number(hours.value) * 3600),
      });
    return h(
      "div",
      { class: "row" },
      h("strong", null, t("organise.waitingRoom")),
      h("span", { class: `badge ${waitingRoom.enabled ? "good" : ""}`, id: "waiting-state" }, waitingRoom.enabled ? t("organise.on", { n: numberText(waitingRoom.waiting) }) : t("organise.off")),
      h("label", { class: "row small" }, t("organise.admit"), rate),
      h("label", { class: "row small" }, t("organise.preQueue"), hours),
      h("button", { type: "button", id: "waiting-switch", onclick: () => configure(!waitingRoom.enabled) }, waitingRoom.enabled ? t("organise.turnOff") : t("organise.turnOn")),
      waitingRoom.enabled && h("button", { type: "button", onclick: () => configure(true) }, t("organise.apply")),
    );
  }

  /** @param {string} operation @param {string} field @param {object} [more] */
  async _run(operation, field, more = {}) {
    try {
      /** @type {Record<string, EventResult>} */
      const data = await request(operation, { input: { eventId: this._event.id, ...more } });
      const answer = data[field];
      if (answer.__typename === "EventSuccess") this._event = answer.event;
      this._awake();
      this._say(answer.__typename === "EventSuccess" ? t("organise.done") : problemText(answer), answer.__typename === "EventSuccess");
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      this._say(problemText(error), false);
    }
    this._drawHead();
  }

  /** @param {string} text @param {boolean} good */
  _say(text, good) {
    this._problem.className = `notice ${good ? "good" : "bad"}`;
    this._problem.textContent = text;
    this._problem.hidden = false;
  }

  /** @type {() => void} */
  _awake = () => {};
}
