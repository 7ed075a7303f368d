/** Keeps the statuses current over the live connection. */
import { live } from "../graphql/live.js";

/** @import { Statuses } from "./statuses.js" */

/**
 * Subscribes to an event's seats. After a loss it resumes from its version; if an update does not follow
 * that version it restarts with a snapshot.
 * @param {string} eventId @param {Statuses} statuses
 * @param {() => void} [first] called after the first snapshot
 */
export function watchSeats(eventId, statuses, first) {
  let begun = false;
  const subscription = live.subscribe({
    name: "SeatAvailability",
    variables: () => ({ eventId, ...(statuses.version === null ? {} : { sinceVersion: statuses.version }) }),
    next: ({ seatAvailability: update }) => {
      if (!statuses.apply(update)) {
        statuses.forget();
        return subscription.again();
      }
      if (!begun) first?.();
      begun = true;
    },
    refused: undefined,
  });
  return subscription;
}
