/** The notice of a problem. One that asks the buyer to wait shows the time that is left. */
import { clockText } from "../kit/clock.js";
import { h } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { problemText } from "./words.js";

/** @import { Problem } from "./purchase.js" */

const BEAT_MS = 250;

/** @param {Problem} problem @param {Record<string, string>} [attributes] */
export function problemNotice(problem, attributes = {}) {
  const text = problemText(problem);
  if (!problem.waitUntilMs) return h("div", { class: "notice bad", role: "alert", ...attributes }, text);
  return h("div", { class: "notice bad stack", ...attributes }, h("span", { role: "alert" }, text), waiting(problem.waitUntilMs));
}

/** A clock that runs down while it is on the page. @param {number} untilMs */
function waiting(untilMs) {
  const clock = h("span", { role: "timer", class: "number", id: "wait" });
  let shown = false;
  const tick = () => {
    if (shown && !clock.isConnected) return clearInterval(beat);
    shown ||= clock.isConnected;
    clock.textContent = t("waitFor", { time: clockText(Math.max(0, Math.ceil((untilMs - Date.now()) / 1000))) });
  };
  const beat = setInterval(tick, BEAT_MS);
  tick();
  return clock;
}
