/** The form that creates an event from a seating plan and prices. */
import { problemText } from "../buy/words.js";
import { request, RequestFailed } from "../graphql/client.js";
import { DIGITS } from "../kit/currencies.js";
import { fill, h } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { isTimeZone, zoned } from "../kit/zones.js";
import { readPlan } from "./plan.js";
import { PriceTable } from "./prices.js";

/** @import { EventResult, OrganisedEvent } from "../schema.js" */
/** @import { PlanFile } from "./plan.js" */

// The most usual ones first, then all.
const CURRENCIES = [...new Set(["USD", "EUR", "GBP", "KRW", "JPY", ...Object.keys(DIGITS)])];
const NOTHING_PRICED = { priceLevels: [], generalAdmission: [] };
const DAY_MS = 86_400_000;

export { zoned };

/** @param {(event: OrganisedEvent) => void} created @returns {HTMLElement} */
export function createForm(created) {
  /** @type {PlanFile | null} */
  let plan = null;
  /** @type {PriceTable | null} */
  let table = null;
  const currency = h("select", { name: "currency" }, CURRENCIES.map((one) => h("option", null, one)));
  const problem = h("div", { class: "notice bad", role: "alert", hidden: true });
  const prices = h("div", { class: "stack" });
  const say = (/** @type {string} */ text) => {
    problem.textContent = text;
    problem.hidden = !text;
  };
  const read = async (/** @type {Event} */ event) => {
    const file = /** @type {HTMLInputElement} */ (event.target).files?.[0];
    plan = file ? readPlan(await file.text()) : null;
    say(file && !plan ? t("organise.badPlan") : "");
    table = plan && new PriceTable(plan, currency);
    fill(prices, table?.element);
  };
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    say("");
    const priced = table ? table.read() : NOTHING_PRICED;
    if (!priced) return;
    const zone = /** @type {HTMLInputElement} */ (form.elements.namedItem("timezone"));
    if (!isTimeZone(zone.value.trim())) {
      say(t("organise.badZone"));
      zone.focus();
      return;
    }
    try {
      /** @type {{ createEvent: EventResult }} */
      const { createEvent: answer } = await request("CreateEvent", { input: { ...eventInput(new FormData(form), plan), ...priced } });
      if (answer.__typename === "EventSuccess") created(answer.event);
      else if (!table?.refused(answer)) say(problemText(answer));
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      say(problemText(error));
    }
  };
  return h(
    "form",
    { class: "card stack", id: "create", onsubmit: submit },
    h("h2", null, t("organise.create")),
    h("div", { class: "two" },
      field("name", t("organise.name"), { required: true }),
      field("category", t("find.category")),
      field("performers", t("who")),
      field("startsAt", t("when"), { type: "datetime-local", required: true, value: soon() }),
      field("venue", t("organise.venue"), { required: true }),
      field("city", t("find.city"), { required: true }),
      field("country", t("organise.country"), { required: true, maxLength: 2, value: "KR", pattern: "[A-Za-z]{2}" }),
      field("timezone", t("organise.timezone"), { required: true, value: Intl.DateTimeFormat().resolvedOptions().timeZone }),
      h("label", null, t("organise.currency"), currency),
      field("limit", t("organise.limit"), { type: "number", min: 1, max: 100, value: "8" }),
      h("label", null, t("organise.plan"), h("input", { type: "file", id: "plan", accept: ".json,application/json", onchange: read })),
    ),
    prices,
    problem,
    h("button", { class: "main-action", id: "create-go" }, t("organise.createGo")),
  );
}

/** @param {string} name @param {string} label @param {Record<string, unknown>} [more] */
function field(name, label, more = {}) {
  return h("label", null, label, h("input", { name, ...more }));
}

function soon() {
  return new Date(Date.now() + 30 * DAY_MS).toISOString().slice(0, 11) + "19:30";
}

/** CreateEventInput of the form without the prices. @param {FormData} form @param {PlanFile | null} plan */
function eventInput(form, plan) {
  const text = (/** @type {string} */ name) => String(form.get(name) ?? "").trim();
  return {
    name: text("name"),
    startsAt: zoned(text("startsAt"), text("timezone")),
    venue: { name: text("venue"), city: text("city"), country: text("country").toUpperCase(), timezone: text("timezone") },
    maxTicketsPerOrder: Number(text("limit")),
    ...(text("category") ? { category: text("category") } : {}),
    performers: text("performers").split(",").map((one) => one.trim()).filter(Boolean),
    ...(plan ? { seatingPlan: plan.text } : {}),
  };
}
