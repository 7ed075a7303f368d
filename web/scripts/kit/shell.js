/** The bar at the top of every page: name, links, language, theme, state of the connection. */
import { h, svg } from "./dom.js";
import { chooseLanguage, language, t, translatePage } from "./i18n.js";
import { applyTheme, isDark, toggleTheme } from "./theme.js";

/** @import { State } from "../graphql/live.js" */

/**
 * Fills the bar and translates the page.
 * @param {{ live?: { onState(listener: (state: State) => void): unknown } }} [options] a connection to show
 */
export function openPage({ live } = {}) {
  applyTheme();
  translatePage();
  const bar = document.getElementById("bar");
  bar?.replaceChildren(
    h("a", { class: "brand", href: "/" }, mark(), "Boxoffice"),
    live ? connection(live) : "",
    h("a", { class: "link wide-only", href: "/" }, t("findEvents")),
    h("a", { class: "link wide-only", href: "/organise" }, t("organise")),
    languageButton(),
    themeButton(),
  );
}

function mark() {
  const seats = [[11, 13], [16, 13], [21, 13], [11, 19], [16, 19], [21, 19]].map(([cx, cy], at) =>
    svg("circle", { cx, cy, r: 2, fill: at === 4 ? "#ffd166" : "#fff" }),
  );
  const ticket = "M4 7h24a2 2 0 0 1 2 2v4a3 3 0 0 0 0 6v4a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2v-4a3 3 0 0 0 0-6V9a2 2 0 0 1 2-2z";
  return svg("svg", { viewBox: "0 0 32 32", "aria-hidden": "true" }, svg("path", { fill: "currentColor", d: ticket }), ...seats);
}

/** @param {{ onState(listener: (state: State) => void): unknown }} live */
function connection(live) {
  const words = h("span", { class: "words" });
  const pill = h("span", { class: "connection", role: "status", id: "connection" }, words);
  live.onState((state) => {
    pill.dataset["state"] = state;
    words.textContent = t(`connection.${state}`);
    pill.title = words.textContent;
  });
  return pill;
}

function languageButton() {
  const other = language() === "en" ? "ko" : "en";
  const label = other === "ko" ? "한국어로 보기" : "Read in English";
  return h(
    "button",
    { type: "button", class: "quiet icon", lang: other, "aria-label": label, title: label, onclick: () => chooseLanguage(other) },
    other === "ko" ? "한" : "EN",
  );
}

function themeButton() {
  const button = h("button", { type: "button", class: "quiet icon", onclick: toggleTheme });
  const paint = () => {
    button.textContent = isDark() ? "☀" : "☾";
    button.setAttribute("aria-label", isDark() ? t("toLight") : t("toDark"));
  };
  addEventListener("themechange", paint);
  paint();
  return button;
}
