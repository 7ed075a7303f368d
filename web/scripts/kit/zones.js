/** Wall-clock times of a time zone. */

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
// What a machine has before its zone is set; some browsers know it as UTC.
const NO_ZONE = "Factory";

/** Whether the browser knows a time zone of this name. @param {string} name */
export function isTimeZone(name) {
  if (name === NO_ZONE) return false;
  try {
    offsetMinutes(0, name);
    return true;
  } catch {
    return false;
  }
}

/**
 * A wall-clock time of a zone as RFC 3339 with the offset that the zone has then. Of a time that comes twice the
 * first is meant; one that a clock change skips is as much later as the clock is put forward.
 * @param {string} local as of an input of type datetime-local @param {string} timeZone
 */
export function zoned(local, timeZone) {
  const wall = Date.parse(`${local}Z`);
  const before = offsetMinutes(wall - DAY_MS, timeZone);
  const after = offsetMinutes(wall + DAY_MS, timeZone);
  const possible = [before, after].filter((offset) => offsetMinutes(wall - offset * MINUTE_MS, timeZone) === offset);
  const offset = possible.length ? Math.max(...possible) : before;
  return new Date(wall).toISOString().slice(0, 19) + offsetText(offset);
}

/** The minutes by which a zone is ahead of UTC at an instant. @param {number} instant @param {string} timeZone */
function offsetMinutes(instant, timeZone) {
  const parts = new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset" }).formatToParts(instant);
  const name = parts.find((part) => part.type === "timeZoneName")?.value ?? "";
  const [, sign, hours, minutes] = /GMT([+-])(\d+):(\d+)/.exec(name) ?? ["", "+", "0", "0"];
  return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

/** @param {number} minutes */
function offsetText(minutes) {
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}
