/** Solves the challenge that comes before a guest session and a join, where the installation asks for one. */
import { h } from "../kit/dom.js";
import { t } from "../kit/i18n.js";
import { request, RequestFailed } from "./client.js";

/** @import { Challenge } from "../schema.js" */

const VENDOR = "/static/vendor";
const encoder = new TextEncoder();

/**
 * The input's field with the solution; empty where nothing is asked.
 * @param {HTMLElement} place where ALTCHA's widget shows its progress
 * @returns {Promise<{ challengeSolution?: string }>}
 */
export async function solvedChallenge(place) {
  /** @type {{ challenge: Challenge | null }} */
  const { challenge } = await request("Challenge");
  if (!challenge) return {};
  const widget = await loadWidget();
  return { challengeSolution: await (widget ? solvedByWidget(place, challenge) : solvedHere(challenge)) };
}

/** Whether ALTCHA's widget is here: npm brings it. @returns {Promise<boolean>} */
async function loadWidget() {
  if (customElements.get("altcha-widget")) return true;
  const address = `${VENDOR}/altcha.js`;
  try {
    await import(address);
  } catch {
    return false;
  }
  document.head.append(h("link", { rel: "stylesheet", href: `${VENDOR}/altcha.css` }));
  return true;
}

/** @param {HTMLElement} place @param {Challenge} challenge @returns {Promise<string>} ALTCHA's payload */
async function solvedByWidget(place, challenge) {
  const { maxNumber, ...rest } = challenge;
  const widget = document.createElement("altcha-widget");
  widget.setAttribute("challengejson", JSON.stringify({ ...rest, maxnumber: maxNumber }));
  widget.setAttribute("workerurl", `${VENDOR}/altcha-worker.js`);
  widget.setAttribute("strings", JSON.stringify(texts()));
  widget.setAttribute("disablerefetchonexpire", "true");
  widget.setAttribute("auto", "onload");
  const solved = new Promise((resolve, reject) => {
    widget.addEventListener("verified", (event) => resolve(/** @type {CustomEvent} */ (event).detail.payload));
    widget.addEventListener("statechange", (event) => {
      if (/** @type {CustomEvent} */ (event).detail.state === "error") reject(unsolved());
    });
  });
  place.replaceChildren(widget);
  return solved.finally(() => widget.remove());
}

/** Without npm's files the page itself tries the numbers. @param {Challenge} challenge */
async function solvedHere({ maxNumber, ...challenge }) {
  if (!crypto.subtle) throw unsolved();
  for (let number = 0; number <= maxNumber; number += 1) {
    const digest = await crypto.subtle.digest("SHA-256", encoder.encode(challenge.salt + number));
    if (hexadecimal(digest) === challenge.challenge) return btoa(JSON.stringify({ ...challenge, number }));
  }
  throw unsolved();
}

/** @param {ArrayBuffer} digest */
function hexadecimal(digest) {
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function unsolved() {
  return new RequestFailed("CHALLENGE_UNSOLVED", t("problem.CHALLENGE_UNSOLVED"));
}

/** The widget's texts in the reader's language. */
function texts() {
  return {
    ariaLinkLabel: t("challenge.link"),
    error: t("problem.CHALLENGE_UNSOLVED"),
    expired: t("challenge.expired"),
    footer: t("challenge.footer"),
    label: t("challenge.label"),
    verified: t("challenge.verified"),
    verifying: t("challenge.verifying"),
    waitAlert: t("challenge.verifying"),
  };
}
