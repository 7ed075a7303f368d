/** Who the reader is: a token in sessionStorage, gone with the tab. Never taken from an address. */
import { Emitter } from "../kit/emitter.js";

const KEPT_AS = "boxoffice.token";

/** @type {Emitter<{ change: string | null }>} */
const changes = new Emitter();

/** The token, or null for an anonymous reader. */
export function token() {
  return sessionStorage.getItem(KEPT_AS);
}

/** @param {string | null} wanted */
export function signIn(wanted) {
  if (wanted === token()) return;
  if (wanted) sessionStorage.setItem(KEPT_AS, wanted);
  else sessionStorage.removeItem(KEPT_AS);
  changes.emit("change", wanted);
}

/** The Authorization header's value, or null. */
export function authorization() {
  const held = token();
  return held ? `Bearer ${held}` : null;
}

/** @param {(token: string | null) => void} listener */
export function onSessionChange(listener) {
  return changes.on("change", listener);
}
