/** The waiting room: join the line, see it move, walk in. */
import { request, RequestFailed } from "../graphql/client.js";
import { live } from "../graphql/live.js";
import { token } from "../graphql/session.js";
import { guestForm } from "../buy/checkout.js";
import { problemText } from "../buy/words.js";
import { fill, h, show } from "../kit/dom.js";
import { clockText } from "../kit/clock.js";
import { numberText } from "../kit/format.js";
import { t } from "../kit/i18n.js";

/** @import { EventDetail, JoinResult, QueueEntry } from "../schema.js" */
/** @import { Purchase } from "../buy/purchase.js" */

/**
 * Shows the line until the reader is admitted.
 * @param {HTMLElement} place @param {EventDetail} event @param {Purchase} purchase gets the admission's token
 * @returns {Promise<void>} settles on admission
 */
export async function standInLine(place, event, purchase) {
  show(place, true);
  const line = new Line(place, event, purchase);
  await line.admitted;
  show(place, false);
}

class Line {
  /** @param {HTMLElement} place @param {EventDetail} event @param {Purchase} purchase */
  constructor(place, event, purchase) {
    this._place = place;
    this._event = event;
    this._purchase = purchase;
    this._first = 0;
    /** @type {{ stop(): void } | null} */
    this._watch = null;
    /** @type {(value: void) => void} */
    this._admit = () => {};
    /** @type {Promise<void>} */
    this.admitted = new Promise((resolve) => {
      this._admit = resolve;
    });
    if (token()) this._returning();
    else this._invite();
  }

  /** Someone with a token may stand in the line already. */
  async _returning() {
    /** @type {{ queueEntry: QueueEntry | null } | null} */
    const known = await request("QueueEntry", { eventId: this._event.id }).catch(() => null);
    const entry = known?.queueEntry;
    if (entry && (entry.state === "WAITING" || entry.state === "ADMITTED")) this._follow(entry);
    else this._invite();
  }

  /** @param {string} [problem] */
  _invite(problem = "") {
    const { waitingRoom } = this._event;
    this._draw(
      h("h2", null, t("line.title")),
      h("p", { class: "soft" }, waitingRoom.phase === "PRE_QUEUE" ? t("line.before") : t("line.why")),
      h("p", null, t("line.waiting", { n: numberText(waitingRoom.waiting) })),
      problem && h("div", { class: "notice bad", role: "alert" }, problem),
      h("button", { type: "button", class: "main-action", id: "join", onclick: () => this._join() }, t("line.join")),
    );
  }

  async _join() {
    if (!token()) return this._introduce();
    try {
      /** @type {{ joinQueue: JoinResult }} */
      const { joinQueue: answer } = await request("JoinQueue", { input: { eventId: this._event.id } });
      if (answer.__typename === "JoinQueueSuccess") this._follow(answer.entry);
      else this._invite(problemText(answer));
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      this._invite(problemText(error));
    }
  }

  _introduce() {
    const form = guestForm(this._purchase, () => this._join(), () => this._invite());
    form.classList.add("line-room");
    fill(this._place, form);
    form.querySelector("input")?.focus();
  }

  /** @param {QueueEntry} entry */
  _follow(entry) {
    this._update(entry);
    if (entry.state === "ADMITTED") return;
    this._watch = live.subscribe({
      name: "QueuePosition",
      variables: () => ({ eventId: this._event.id }),
      next: (data) => this._update(data.queuePosition),
      refused: (message) => this._invite(message),
    });
  }

  /** @param {QueueEntry} entry */
  _update(entry) {
    if (entry.state === "ADMITTED" && entry.admission) return this._enter(entry.admission.token);
    if (entry.state === "EXPIRED" || entry.state === "LEFT") {
      this._watch?.stop();
      return this._invite(entry.state === "EXPIRED" ? t("line.expired") : "");
    }
    this._first = Math.max(this._first, entry.ahead ?? 0);
    const done = this._first ? 1 - (entry.ahead ?? this._first) / this._first : 0;
    this._draw(
      h("h2", null, entry.position === null ? t("line.drawSoon") : t("line.place")),
      entry.position !== null && h("div", { class: "line-place number", id: "place" }, numberText(entry.position)),
      h("progress", { max: 1, value: done, "aria-label": t("line.progress") }),
      entry.ahead !== null && h("p", null, t("line.ahead", { n: numberText(entry.ahead) })),
      entry.etaSeconds !== null && h("p", { class: "soft" }, t("line.eta", { time: clockText(entry.etaSeconds) })),
      h("p", { class: "small soft" }, t("line.stay")),
      h("button", { type: "button", class: "quiet", id: "leave", onclick: () => this._leave() }, t("line.leave")),
    );
  }

  async _leave() {
    this._watch?.stop();
    await request("LeaveQueue", { input: { eventId: this._event.id } }).catch(() => null);
    this._invite();
  }

  /** @param {string} admission */
  _enter(admission) {
    this._watch?.stop();
    this._purchase.queueToken = admission;
    this._admit();
  }

  /** @param {...(HTMLElement | string | false | null)} children */
  _draw(...children) {
    const focused = document.activeElement?.id;
    fill(this._place, h("section", { class: "card stack line-room", "aria-live": "polite" }, ...children));
    if (focused) document.getElementById(focused)?.focus();
  }
}
