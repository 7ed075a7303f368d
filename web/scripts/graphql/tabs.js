/**
 * The reader's other open tabs. A session ends with the last of its tabs: it is asked for and handed over between
 * them, and stored nowhere else.
 */
import { signIn, token } from "./session.js";

/** @typedef {{ token: string, orders: Record<string, string> }} Held the token, and the order of each event */
/** @typedef {{ ask: true } | { held: Held }} Message */

const ANSWER_MS = 150;
const ORDER = "boxoffice.order.";
const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("boxoffice") : null;
/** @type {Set<() => void>} */
const listeners = new Set();

channel?.addEventListener("message", ({ data }) => {
  const message = /** @type {Message} */ (data);
  if ("ask" in message) tellTabs();
  else take(message.held);
});

/** The order of an event that this tab knows. @param {string} eventId */
export function orderOf(eventId) {
  return sessionStorage.getItem(ORDER + eventId);
}

/** Remembers the order of an event in every tab, or that there is none. @param {string} eventId @param {string | null} orderId */
export function rememberOrder(eventId, orderId) {
  if (orderId === orderOf(eventId)) return;
  if (orderId) sessionStorage.setItem(ORDER + eventId, orderId);
  else sessionStorage.removeItem(ORDER + eventId);
  if (orderId) tellTabs();
}

/** Waits for a moment until another tab has handed over what it holds; at once in a tab that has a session. */
export async function askTabs() {
  if (!channel || token()) return;
  channel.postMessage({ ask: true });
  await new Promise((resolve) => {
    const stop = onTabs(() => done());
    const timer = setTimeout(() => done(), ANSWER_MS);
    const done = () => {
      stop();
      clearTimeout(timer);
      resolve(undefined);
    };
  });
}

/** @param {() => void} listener called when another tab has handed over what it holds */
export function onTabs(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tellTabs() {
  const own = token();
  if (!own) return;
  const names = Object.keys(sessionStorage).filter((name) => name.startsWith(ORDER));
  const orders = Object.fromEntries(names.map((name) => [name.slice(ORDER.length), sessionStorage.getItem(name)]));
  channel?.postMessage({ held: { token: own, orders } });
}

/** @param {Held} held */
function take(held) {
  // Another person's session in another tab stays that tab's own.
  if (token() && token() !== held.token) return;
  signIn(held.token);
  for (const [eventId, orderId] of Object.entries(held.orders)) sessionStorage.setItem(ORDER + eventId, orderId);
  for (const listener of [...listeners]) listener();
}
