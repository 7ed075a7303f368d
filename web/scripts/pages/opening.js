/**
 * What an event's page needs first: asked for by a few small modules, while all others are still on their way.
 */
import { request } from "../graphql/client.js";
import { live } from "../graphql/live.js";
import { Layout } from "../map/layout.js";

/** @import { EventDetail } from "../schema.js" */

export const eventId = decodeURIComponent(location.pathname.split("/")[2] ?? "");

/** The event, or null where there is none. */
export const asked = /** @type {Promise<{ event: EventDetail | null }>} */ (request("Event", { id: eventId }));

/** Its seats; where people stand in line first, only once they are through. */
const early = asked.then(({ event }) => (event && !event.waitingRoom.enabled ? loadLayout(event) : null));
// Whoever awaits `asked` hears of a failure.
early.catch(() => {});
live.open();

/** The event's seats, on their way already where that was wise. @param {EventDetail} event @returns {Promise<Layout>} */
export async function layoutOf(event) {
  return (await early.catch(() => null)) ?? loadLayout(event);
}

/** @param {EventDetail} event */
function loadLayout(event) {
  return Layout.load(event.seatMap.rowsUrl);
}
