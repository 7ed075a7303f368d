/**
 * The first requests of an event's page, sent by a few small modules while the others are loading.
 */
import { request } from "../graphql/client.js";
import { live } from "../graphql/live.js";
import { Layout } from "../map/layout.js";

/** @import { EventDetail } from "../schema.js" */

export const eventId = decodeURIComponent(location.pathname.split("/")[2] ?? "");

/** The event, or null. */
export const asked = /** @type {Promise<{ event: EventDetail | null }>} */ (request("Event", { id: eventId }));

/** Its seats; with a waiting room they are requested after the admission. */
const early = asked.then(({ event }) => (event && !event.waitingRoom.enabled ? loadLayout(event) : null));
// A failure is reported where `asked` is awaited.
early.catch(() => {});
live.open();

/** The event's seats, which may have been requested early. @param {EventDetail} event @returns {Promise<Layout>} */
export async function layoutOf(event) {
  return (await early.catch(() => null)) ?? loadLayout(event);
}

/** @param {EventDetail} event */
function loadLayout(event) {
  return Layout.load(event);
}
