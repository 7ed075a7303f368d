/** The reader's token in sessionStorage, which ends with the tab. It is never read from the address. */
import { Emitter } from "../kit/emitter.js";

const STORAGE_KEY = "boxoffice.token";

/** @type {Emitter<{ change: string | null }>} */
const changes = new Emitter();

/** The token, or null for an anonymous reader. */
export function token() {
  return sessionStorage.getItem(STORAGE_KEY);
}

/** @param {string | null} wanted */
export function signIn(wanted) {
  if (wanted === token()) return;
  if (wanted) sessionStorage.setItem(STORAGE_KEY, wanted);
  else sessionStorage.removeItem(STORAGE_KEY);
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
