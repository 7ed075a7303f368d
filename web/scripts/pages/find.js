/** The first page: find an event. */
import { card } from "../find/card.js";
import { Completions } from "../find/completions.js";
import { currenciesOf, showFilters } from "../find/filters.js";
import { comparesPrices, readSearchState, searchInput, writeSearchState } from "../find/searchstate.js";
import { request, RequestFailed } from "../graphql/client.js";
import { byId, fill, h } from "../kit/dom.js";
import { numberText } from "../kit/format.js";
import { t } from "../kit/i18n.js";
import { openPage } from "../kit/shell.js";
import { problemText } from "../buy/words.js";

/** @import { SearchResult, Suggestion } from "../schema.js" */
/** @import { SearchState } from "../find/searchstate.js" */

const SORTS = /** @type {const} */ (["STARTS_AT", "RELEVANCE", "PRICE"]);

openPage();
const keyword = byId("keyword", HTMLInputElement);
const sort = byId("sort", HTMLSelectElement);
let state = readSearchState();
/** Of every price seen so far, the most frequent first. @type {Set<string>} */
const currencies = new Set();
/** @type {AbortController | null} */
let asking = null;

const completions = new Completions(keyword, byId("completions", HTMLElement), complete);
byId("search", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  completions.close();
  change({ q: keyword.value.trim() });
});
fill(sort, ...SORTS.map((value) => h("option", { value }, t(`sort.${value}`))));
sort.onchange = () => change({ sort: sort.value });
addEventListener("popstate", () => {
  state = readSearchState();
  find();
});
find();

/** @param {Suggestion} suggestion */
function complete(suggestion) {
  if (suggestion.eventId) return location.assign(`/events/${suggestion.eventId}`);
  keyword.value = suggestion.text;
  change({ q: suggestion.text });
}

/** @param {Partial<SearchState>} wanted */
function change(wanted) {
  state = { ...state, page: 1, ...wanted };
  writeSearchState(state);
  find();
}

async function find() {
  keyword.value = state.q;
  sort.value = state.sort || (state.q ? "RELEVANCE" : "STARTS_AT");
  asking?.abort();
  const currency = state.currency || ([...currencies][0] ?? "");
  const mine = (asking = new AbortController());
  try {
    /** @type {{ searchEvents: SearchResult }} */
    const { searchEvents } = await request("SearchEvents", { input: searchInput(state, currency) }, { signal: mine.signal });
    if (mine.signal.aborted) return;
    draw(searchEvents);
    if (!currency && currencies.size && comparesPrices(state)) await find();
  } catch (error) {
    if (mine.signal.aborted) return;
    if (!(error instanceof RequestFailed)) throw error;
    fail(error);
  }
}

/** @param {SearchResult} found */
function draw(found) {
  for (const code of currenciesOf(found.facets)) currencies.add(code);
  if (state.currency) currencies.add(state.currency);
  byId("count", HTMLElement).textContent = t(found.isOver ? "find.over" : "find.count", { n: numberText(found.total) });
  showFilters(byId("filters", HTMLElement), state, found.facets, [...currencies], change);
  fill(byId("results", HTMLElement), ...found.events.map(card), found.events.length ? null : nothing());
  drawPaging(found);
}

/** @param {SearchResult} found */
function drawPaging({ pageNum, totalPages }) {
  const turn = (/** @type {number} */ page) => {
    change({ page });
    scrollTo({ top: 0 });
    byId("results", HTMLElement).focus({ preventScroll: true });
  };
  const button = (/** @type {string} */ text, /** @type {number} */ page) =>
    h("button", { type: "button", disabled: page < 1 || page > totalPages, onclick: () => turn(page) }, text);
  fill(
    byId("paging", HTMLElement),
    ...(totalPages > 1
      ? [button(t("find.previous"), pageNum - 1), h("span", { class: "number soft" }, `${numberText(pageNum)} / ${numberText(totalPages)}`), button(t("find.next"), pageNum + 1)]
      : []),
  );
}

function nothing() {
  return h("li", { class: "centred" }, h("h3", null, t("find.nothing")), h("p", { class: "soft" }, t("find.nothingHint")),
    h("button", { type: "button", onclick: () => change({ q: "", city: "", category: "", from: "", to: "", max: "", currency: "", available: false }) }, t("find.clear")));
}

/** @param {RequestFailed} error */
function fail(error) {
  byId("count", HTMLElement).textContent = t("cannotLoad");
  fill(byId("results", HTMLElement), h("li", { class: "centred" }, h("p", { role: "alert" }, problemText(error)), h("button", { type: "button", onclick: find }, t("tryAgain"))));
  fill(byId("paging", HTMLElement));
}
