/** The waiting room: join the queue, follow the position, enter on admission. */
import { solvedChallenge } from "../graphql/challenge.js";
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
 * Shows the waiting room until the reader is admitted.
 * @param {HTMLElement} place @param {EventDetail} event @param {Purchase} purchase receives the admission's token
 * @returns {Promise<void>} settles on admission
 */
export async function waitForAdmission(place, event, purchase) {
  show(place, true);
  const room = new WaitingRoom(place, event, purchase);
  await room.admitted;
  show(place, false);
}

class WaitingRoom {
  /** @param {HTMLElement} place @param {EventDetail} event @param {Purchase} purchase */
  constructor(place, event, purchase) {
    this._place = place;
    this._event = event;
    this._purchase = purchase;
    this._first = 0;
    this._challenge = h("div", { class: "challenge" });
    this._join = h("button", { type: "button", class: "main-action", id: "join", onclick: () => this._joinQueue() });
    /** @type {{ stop(): void } | null} */
    this._watch = null;
    /** @type {(value: void) => void} */
    this._admit = () => {};
    /** @type {Promise<void>} */
    this.admitted = new Promise((resolve) => {
      this._admit = resolve;
    });
    if (token()) this._resume();
    else this._offer();
  }

  /** A reader with a token may have a queue entry already. */
  async _resume() {
    /** @type {{ queueEntry: QueueEntry | null } | null} */
    const known = await request("QueueEntry", { eventId: this._event.id }).catch(() => null);
    const entry = known?.queueEntry;
    if (entry && (entry.state === "WAITING" || entry.state === "ADMITTED")) this._follow(entry);
    else this._offer();
  }

  /** @param {string} [problem] */
  _offer(problem = "") {
    const { waitingRoom } = this._event;
    this._join.textContent = t("waitingRoom.join");
    this._draw(
      h("h2", null, t("waitingRoom.title")),
      h("p", { class: "soft" }, waitingRoom.phase === "PRE_QUEUE" ? t("waitingRoom.before") : t("waitingRoom.why")),
      h("p", null, t("waitingRoom.waiting", { n: numberText(waitingRoom.waiting) })),
      problem && h("div", { class: "notice bad", role: "alert" }, problem),
      this._challenge,
      this._join,
    );
  }

  async _joinQueue() {
    if (!token()) return this._askForGuest();
    if (!this._join.isConnected) this._offer();
    this._join.disabled = true;
    try {
      const solution = await solvedChallenge(this._challenge);
      /** @type {{ joinQueue: JoinResult }} */
      const { joinQueue: answer } = await request("JoinQueue", { input: { eventId: this._event.id, ...solution } });
      if (answer.__typename === "JoinQueueSuccess") this._follow(answer.entry);
      else this._offer(problemText(answer));
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      this._offer(problemText(error));
    } finally {
      this._join.disabled = false;
    }
  }

  _askForGuest() {
    const form = guestForm(this._purchase, () => this._joinQueue(), () => this._offer());
    form.classList.add("waiting-room");
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
      refused: (message) => this._offer(message),
    });
  }

  /** @param {QueueEntry} entry */
  _update(entry) {
    if (entry.state === "ADMITTED" && entry.admission) return this._enter(entry.admission.token);
    if (entry.state === "EXPIRED" || entry.state === "LEFT") {
      this._watch?.stop();
      return this._offer(entry.state === "EXPIRED" ? t("waitingRoom.expired") : "");
    }
    this._first = Math.max(this._first, entry.ahead ?? 0);
    const done = this._first ? 1 - (entry.ahead ?? this._first) / this._first : 0;
    this._draw(
      h("h2", null, entry.position === null ? t("waitingRoom.drawSoon") : t("waitingRoom.place")),
      entry.position !== null && h("div", { class: "queue-position number", id: "position" }, numberText(entry.position)),
      h("progress", { max: 1, value: done, "aria-label": t("waitingRoom.progress") }),
      entry.ahead !== null && h("p", null, t("waitingRoom.ahead", { n: numberText(entry.ahead) })),
      entry.etaSeconds !== null && h("p", { class: "soft" }, t("waitingRoom.eta", { time: clockText(entry.etaSeconds) })),
      h("p", { class: "small soft" }, t("waitingRoom.stay")),
      h("button", { type: "button", class: "quiet", id: "leave", onclick: () => this._leave() }, t("waitingRoom.leave")),
    );
  }

  async _leave() {
    this._watch?.stop();
    await request("LeaveQueue", { input: { eventId: this._event.id } }).catch(() => null);
    this._offer();
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
    fill(this._place, h("section", { class: "card stack waiting-room", "aria-live": "polite" }, ...children));
    if (focused) document.getElementById(focused)?.focus();
  }
}
