/** The organiser's page, behind a token: make events, watch them sell, steer them. */
import { request, RequestFailed } from "../graphql/client.js";
import { live } from "../graphql/live.js";
import { onSessionChange, signIn, token } from "../graphql/session.js";
import { byId, fill, h, show } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { openPage } from "../kit/shell.js";
import { problemText } from "../buy/words.js";
import { createForm } from "../organise/create.js";
import { Desk } from "../organise/desk.js";

/** @import { OrganisedEvent } from "../schema.js" */

const KEPT_AS = "boxoffice.organised";
const MOST_KEPT = 12;
const place = byId("place", HTMLElement);

openPage({ live });
byId("sign-out", HTMLButtonElement).onclick = () => signIn(null);
onSessionChange(draw);
draw();

/** @returns {{ id: string, name: string }[]} events that this browser has worked on */
function kept() {
  return JSON.parse(localStorage.getItem(KEPT_AS) ?? "[]");
}

/** @param {OrganisedEvent} event */
function keep(event) {
  const others = kept().filter(({ id }) => id !== event.id);
  localStorage.setItem(KEPT_AS, JSON.stringify([{ id: event.id, name: event.name }, ...others].slice(0, MOST_KEPT)));
}

function draw() {
  show(byId("sign-out", HTMLButtonElement), token() !== null);
  const wanted = new URLSearchParams(location.search).get("event");
  if (!token()) fill(place, gate());
  else if (wanted) openEvent(wanted);
  else fill(place, chooser(), createForm((event) => go(event)));
}

/** @param {OrganisedEvent} event */
function go(event) {
  keep(event);
  location.assign(`/organise?event=${encodeURIComponent(event.id)}`);
}

function gate() {
  const input = h("textarea", { id: "token", rows: 3, required: true, spellcheck: false, autocomplete: "off" });
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    signIn(input.value.trim());
  };
  return h("form", { class: "card stack gate", onsubmit: submit },
    h("p", { class: "soft" }, t("organise.gate")),
    h("label", null, t("token"), input),
    h("button", { class: "main-action", id: "enter" }, t("continue")));
}

function chooser() {
  const input = h("input", { name: "event", id: "event-id", required: true, placeholder: "evt_…" });
  return h("form", { class: "card stack", action: "/organise", method: "get" },
    h("h2", null, t("organise.open")),
    h("div", { class: "row" }, kept().map(({ id, name }) => h("a", { class: "button", href: `/organise?event=${encodeURIComponent(id)}` }, name))),
    h("label", null, t("organise.eventId"), input),
    h("button", { class: "main-action" }, t("organise.openGo")));
}

/** @param {string} id */
async function openEvent(id) {
  try {
    /** @type {{ event: OrganisedEvent | null }} */
    const { event } = await request("OrganisedEvent", { id });
    if (!event) return refuse(t("eventNotFound"));
    keep(event);
    fill(place, new Desk(event).element);
  } catch (error) {
    if (!(error instanceof RequestFailed)) throw error;
    if (token()) refuse(problemText(error));
  }
}

/** @param {string} text */
function refuse(text) {
  fill(place, h("div", { class: "notice bad", role: "alert" }, text), h("a", { class: "button", href: "/organise" }, t("back")));
}
