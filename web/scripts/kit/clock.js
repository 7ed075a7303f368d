/** The server's clock, estimated from the Date header of responses. */

let offsetMs = 0;
let bestRoundTripMs = Infinity;

/**
 * Updates the estimate from one response. The header has whole seconds, so half a second is added; the
 * response with the shortest round trip counts.
 * @param {Response} response
 * @param {number} sentAtMs when the request was sent, by this machine's clock
 */
export function learnServerTime(response, sentAtMs) {
  const header = response.headers.get("date");
  if (!header) return;
  const nowMs = Date.now();
  const roundTripMs = nowMs - sentAtMs;
  if (roundTripMs > bestRoundTripMs) return;
  const measuredMs = Date.parse(header) + 500 - (sentAtMs + roundTripMs / 2);
  if (Number.isNaN(measuredMs)) return;
  bestRoundTripMs = roundTripMs;
  offsetMs = Math.abs(measuredMs) < 750 ? 0 : measuredMs;
}

/** Milliseconds since 1970 by the server's clock. */
export function serverNowMs() {
  return Date.now() + offsetMs;
}

/** Whole seconds until a time, never below 0. @param {string} time RFC 3339 */
export function secondsUntil(time) {
  return Math.max(0, Math.ceil((Date.parse(time) - serverNowMs()) / 1000));
}

/** "7:05" or "1:02:03". @param {number} seconds */
export function clockText(seconds) {
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, "0"));
  const hours = Math.floor(seconds / 3600);
  return hours ? `${hours}:${parts.join(":")}` : `${Number(parts[0])}:${parts[1]}`;
}
