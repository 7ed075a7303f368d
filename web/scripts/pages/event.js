/** The page of one event: its description, live map, and purchase. */
import { Basket } from "../buy/basket.js";
import { loadConfig } from "../buy/cards.js";
import { Checkout, guestForm } from "../buy/checkout.js";
import { showEventHead } from "../buy/head.js";
import { showKey, showLegend } from "../buy/legend.js";
import { Opening } from "../buy/opening.js";
import { Purchase } from "../buy/purchase.js";
import { SeatCard } from "../buy/seatcard.js";
import { Tray } from "../buy/tray.js";
import { spokenSeat } from "../buy/words.js";
import { RequestFailed } from "../graphql/client.js";
import { live } from "../graphql/live.js";
import { token } from "../graphql/session.js";
import { secondsUntil } from "../kit/clock.js";
import { byId, fill, h, show } from "../kit/dom.js";
import { Emitter } from "../kit/emitter.js";
import { t } from "../kit/i18n.js";
import { numberText } from "../kit/format.js";
import { openPage } from "../kit/shell.js";
import { ListView } from "../map/listview.js";
import { SeatMap } from "../map/seatmap.js";
import { Statuses } from "../map/statuses.js";
import { watchSeats } from "../map/watch.js";
import { waitForAdmission } from "../waiting/waitingroom.js";
import { asked, eventId, layoutOf } from "./opening.js";

/** @import { EventDetail, Order, SeatsUnavailable, Selection } from "../schema.js" */

openPage({ live });
open().catch((error) => fail(error));

async function open() {
  const purchase = new Purchase(eventId);
  const [{ event }, config] = await Promise.all([asked, loadConfig(), purchase.resume()]);
  if (!event) return fail(new RequestFailed("NOT_FOUND", t("eventNotFound")));
  const news = watchEvent(event);
  if (event.waitingRoom.enabled && !purchase.order) await waitForAdmission(byId("waiting-room", HTMLElement), event, purchase);
  await openShop(event, purchase, config, news);
}

/**
 * Shows the event's head, again with every change: the clock begins and ends a sale, organisers move and cancel.
 * @param {EventDetail} event kept current @returns {Emitter<{ changed: EventDetail }>}
 */
function watchEvent(event) {
  const opening = new Opening();
  /** @type {Emitter<{ changed: EventDetail }>} */
  const news = new Emitter();
  const draw = () => {
    document.title = `${event.name} · Boxoffice`;
    showEventHead(byId("head", HTMLElement), event, opening);
  };
  live.subscribe({
    name: "EventUpdated",
    variables: () => ({ eventId }),
    next: ({ eventUpdated }) => {
      Object.assign(event, eventUpdated);
      draw();
      news.emit("changed", event);
    },
    refused: undefined,
  });
  draw();
  return news;
}

/**
 * @param {EventDetail} event @param {Purchase} purchase @param {import("../buy/cards.js").Config} config
 * @param {Emitter<{ changed: EventDetail }>} news
 */
async function openShop(event, purchase, config, news) {
  show(byId("shop", HTMLElement), true);
  const statuses = new Statuses(event.seatMap.seatCount);
  const loading = byId("map-loading", HTMLElement);
  watchSeats(eventId, statuses, () => show(loading, false));
  const layout = await layoutOf(event);
  byId("shop", HTMLElement).classList.toggle("without-map", !layout.seatCount && !layout.areas.length);
  const canvas = byId("map", HTMLCanvasElement);
  const map = new SeatMap(canvas, layout, statuses, { leftText: (n) => t("left", { n: numberText(n) }) });
  const basket = new Basket(layout, statuses, event.maxTicketsPerOrder);
  showLegend(byId("legend", HTMLElement), map);
  showKey(byId("map-key", HTMLElement), {
    accessible: layout.marks.some((marks) => marks & 1),
    restricted: layout.marks.some((marks) => marks & 2),
  });
  wireMap(map, basket, purchase);
  wireViews(map, basket);
  const shop = new Shop(event, map, basket, purchase, config);
  shop.draw();
  news.on("changed", (changed) => shop.become(saleStatus(changed)));
  // For measurements and end-to-end tests.
  Object.assign(window, { boxoffice: { map, statuses, basket, purchase, live } });
}

/** The status for who wants to buy: a sale may end before its event. @param {EventDetail} event */
function saleStatus({ status, offSaleAt }) {
  return status === "ON_SALE" && offSaleAt && secondsUntil(offSaleAt) <= 1 ? "ENDED" : status;
}

/** @param {SeatMap} map @param {Basket} basket @param {Purchase} purchase */
function wireMap(map, basket, purchase) {
  const spoken = byId("spoken", HTMLElement);
  const card = new SeatCard(byId("seat-card", HTMLElement), map, basket);
  const isMine = (/** @type {number} */ seat) => basket.seats.has(seat) || map.mine.has(seat);
  const say = (/** @type {number} */ seat) => {
    spoken.textContent = spokenSeat(map.layout, map.statuses, seat, isMine(seat));
  };
  map.on("choose", (seat) => {
    if (!map.isDimmed(seat) || basket.seats.has(seat)) basket.toggle(seat);
    say(seat);
  });
  map.on("focus", (seat) => {
    say(seat);
    card.show({ seat, ...map.viewport.toScreen(map.layout.xs[seat], map.layout.ys[seat]) });
  });
  map.on("point", (at) => card.show(at));
  map.on("standing", (block) => {
    const place = document.getElementById(`standing-${block.section.id}`);
    place?.scrollIntoView({ block: "center", behavior: "smooth" });
    place?.querySelector("button")?.focus({ preventScroll: true });
  });
  const mark = () => {
    map.mine = purchase.order
      ? new Set(seatsOf(purchase.order))
      : basket.seats;
    basket.open = !purchase.order && !purchase.busy;
    map.redraw();
  };
  basket.on("changed", mark);
  purchase.on("changed", mark);
  mark();
  byId("zoom-in", HTMLButtonElement).onclick = () => map.zoom(1.5);
  byId("zoom-out", HTMLButtonElement).onclick = () => map.zoom(1 / 1.5);
  byId("zoom-fit", HTMLButtonElement).onclick = () => map.fit();
}

/** The seats that an order still has: none once its hold is over, whether or not the server has said so. @param {Order} order */
function seatsOf(order) {
  if (order.status === "RESERVED" && order.expiresAt && secondsUntil(order.expiresAt) === 0) return [];
  return order.tickets.flatMap(({ seat, status }) => (seat && (status === "HELD" || status === "ISSUED") ? [seat.index] : []));
}

/** @param {SeatMap} map @param {Basket} basket */
function wireViews(map, basket) {
  const [asMap, asList] = [byId("as-map", HTMLButtonElement), byId("as-list", HTMLButtonElement)];
  /** @type {ListView | null} */
  let list = null;
  const choose = (/** @type {boolean} */ wantsList) => {
    if (wantsList) list ??= new ListView(byId("list-place", HTMLElement), map, basket);
    show(byId("list-place", HTMLElement), wantsList);
    show(byId("map-place", HTMLElement), !wantsList);
    asMap.setAttribute("aria-pressed", String(!wantsList));
    asList.setAttribute("aria-pressed", String(wantsList));
  };
  asMap.onclick = () => choose(false);
  asList.onclick = () => choose(true);
}

/** The panel beside the map: selection, then the guest form, then the checkout. */
class Shop {
  /**
   * @param {EventDetail} event @param {SeatMap} map @param {Basket} basket @param {Purchase} purchase
   * @param {import("../buy/cards.js").Config} config
   */
  constructor(event, map, basket, purchase, config) {
    this._side = byId("side", HTMLElement);
    this._map = map;
    this._basket = basket;
    this._purchase = purchase;
    const hold = (/** @type {Selection} */ selection) => this.hold(selection);
    this._tray = new Tray({ status: saleStatus(event), layout: map.layout, statuses: map.statuses, basket, purchase, hold });
    this._checkout = new Checkout(purchase, config);
    /** @type {Selection | null} the selection that waits for the guest form */
    this._pending = null;
    this._guest = guestForm(purchase, () => this._holdPending(), () => this._forgetPending());
    purchase.on("changed", () => this.draw());
    purchase.on("offered", (answer) => this._offer(answer));
  }

  /** @param {EventDetail["status"]} status */
  become(status) {
    this._tray.become(status);
  }

  draw() {
    const { order } = this._purchase;
    if (order) {
      this._checkout.draw(order);
      this._put(this._checkout.element);
    } else if (this._pending && !token()) {
      this._put(this._guest);
    } else {
      this._tray.draw();
      this._put(this._tray.element);
    }
  }

  /** @param {Selection} selection */
  async hold(selection) {
    this._pending = selection;
    if (!token()) {
      this.draw();
      this._guest.querySelector("input")?.focus();
      return;
    }
    await this._holdPending();
  }

  async _holdPending() {
    const pending = this._pending;
    this._pending = null;
    if (!pending) return;
    this._tray.say("");
    this._map.offered.clear();
    if (!(await this._purchase.reserve(pending))) return this.draw();
    this._basket.replace([]);
    this._map.showSeats(this._purchase.order ? seatsOf(this._purchase.order) : []);
    if (matchMedia("(max-width: 62rem)").matches) this._side.scrollIntoView({ behavior: "smooth", block: "start" });
  }

  _forgetPending() {
    this._pending = null;
    this.draw();
  }

  /** Seats were taken: shows free alternatives, also on the map. @param {SeatsUnavailable} answer */
  _offer(answer) {
    const { layout } = this._map;
    this._purchase.problem = null;
    const gone = new Set(answer.seatIds.map((id) => layout.indexOf(id)));
    const kept = [...this._basket.seats].filter((seat) => !gone.has(seat));
    const offered = answer.alternatives.map((seat) => seat.index);
    const wanted = offered.length === this._basket.seats.size ? offered : [...kept, ...offered];
    this._basket.replace(kept);
    this._map.offered = new Set(offered);
    if (offered.length) this._map.showSeats(offered);
    this._tray.offer(answer, () => {
      this._basket.replace(wanted);
      this.hold({ seatIds: this._basket.ids });
    });
  }

  /** @param {HTMLElement} element */
  _put(element) {
    if (this._side.firstElementChild !== element) fill(this._side, element);
  }
}

/** @param {unknown} error */
function fail(error) {
  const known = error instanceof RequestFailed;
  const text = known && error.code === "NOT_FOUND" ? t("eventNotFound") : t("cannotLoad");
  fill(
    byId("main", HTMLElement),
    h("div", { class: "centred", role: "alert" }, h("h1", null, text), h("div", { class: "row" },
      h("button", { type: "button", onclick: () => location.reload() }, t("tryAgain")),
      h("a", { class: "button", href: "/" }, t("findEvents")))),
  );
  if (!known) throw error;
}
