/** The organiser's events, the newest first. */
import { statusBadge } from "../buy/head.js";
import { problemText } from "../buy/words.js";
import { request, RequestFailed } from "../graphql/client.js";
import { fill, h, show, svg } from "../kit/dom.js";
import { dateTimeText, numberText } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { poster } from "../kit/poster.js";

/** @import { EventCard, EventPage } from "../schema.js" */

export class OwnEvents {
  constructor() {
    this._list = h("ul", { class: "own" });
    this._count = h("span", { class: "badge" });
    this._more = h("button", { type: "button", id: "more-events", hidden: true, onclick: () => this._read() }, t("organise.more"));
    this._note = h("p", { class: "soft", role: "status" }, t("loading"));
    /** @type {string | null} */
    this._after = null;
    this.element = h("section", { class: "card stack", id: "own" },
      h("div", { class: "spread" }, h("h2", null, t("organise.own")), this._count), this._list, this._note, this._more);
    this._read();
  }

  async _read() {
    try {
      /** @type {{ me: { organisedEvents: EventPage } | null }} */
      const { me } = await request("OrganisedEvents", { after: this._after });
      if (me) this._show(me.organisedEvents);
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      this._note.textContent = problemText(error);
      show(this._note, true);
    }
  }

  /** @param {EventPage} page */
  _show({ edges, pageInfo, totalCount }) {
    this._list.append(...edges.map(({ node }) => entry(node)));
    this._after = pageInfo.endCursor;
    show(this._more, pageInfo.hasNextPage);
    this._count.textContent = numberText(totalCount);
    fill(this._note, t("organise.none"));
    show(this._note, totalCount === 0);
  }
}

/** @param {EventCard} event */
function entry(event) {
  const { total, available } = event.availability;
  const gone = total ? (total - available) / total : 0;
  return h("li", null,
    poster(event),
    h("div", null,
      h("a", { href: `/organise?event=${encodeURIComponent(event.id)}` }, event.name),
      h("p", { class: "soft small" }, [dateTimeText(event.startsAt, event.timezone), event.venue.name, event.venue.city].join(" · "))),
    h("div", { class: "own-sale" },
      statusBadge(event.status),
      h("span", { class: "small soft number" }, t("organise.gone", { n: numberText(total - available), total: numberText(total) })),
      svg("svg", { class: "meter", viewBox: "0 0 100 4", preserveAspectRatio: "none", "aria-hidden": "true" }, svg("rect", { width: 100 * gone, height: 4 }))));
}
