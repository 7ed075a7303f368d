/** The organiser's page, which needs a token: create events, watch sales, manage them. */
import { request, RequestFailed } from "../graphql/client.js";
import { live } from "../graphql/live.js";
import { onSessionChange, signIn, token } from "../graphql/session.js";
import { byId, fill, h, show } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { openPage } from "../kit/shell.js";
import { problemText } from "../buy/words.js";
import { createForm } from "../organise/create.js";
import { Dashboard } from "../organise/dashboard.js";
import { OwnEvents } from "../organise/own.js";

/** @import { OrganisedEvent } from "../schema.js" */

const place = byId("place", HTMLElement);

openPage({ live });
byId("sign-out", HTMLButtonElement).onclick = () => signIn(null);
onSessionChange(draw);
draw();

function draw() {
  show(byId("sign-out", HTMLButtonElement), token() !== null);
  const wanted = new URLSearchParams(location.search).get("event");
  if (!token()) fill(place, gate());
  else if (wanted) openEvent(wanted);
  else fill(place, new OwnEvents().element, createForm(go));
}

/** @param {OrganisedEvent} event */
function go(event) {
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

/** @param {string} id */
async function openEvent(id) {
  try {
    /** @type {{ event: OrganisedEvent | null }} */
    const { event } = await request("OrganisedEvent", { id });
    if (!event) return refuse(t("eventNotFound"));
      fill(place, h("a", { class: "back", href: "/organise" }, t("organise.all")), new Dashboard(event).element);
  } catch (error) {
    if (!(error instanceof RequestFailed)) throw error;
    if (token()) refuse(problemText(error));
  }
}

/** @param {string} text */
function refuse(text) {
  fill(place, h("div", { class: "notice bad", role: "alert" }, text), h("a", { class: "button", href: "/organise" }, t("back")));
}
