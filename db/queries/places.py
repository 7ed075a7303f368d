"""The places of events from PostgreSQL, for events that Redis does not hold."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from db.session import Connection, Database
from domain.seat_status import FREE, STATUS_OF_CLAIM
from domain.states import ClaimState

# Of each event the entries of one index, and the order of each place that is held: nothing else is read,
# however many claims and orders other events have.
_PLACES = """
SELECT e.id, m.place_count, taken.held, taken.booked, taken.blocked
FROM events e JOIN seat_maps m ON m.version = e.seat_map_version
CROSS JOIN LATERAL (
  SELECT array_agg(c.place) FILTER (WHERE c.state = 'HELD') AS held,
    array_agg(c.place) FILTER (WHERE c.state = 'BOOKED') AS booked,
    array_agg(c.place) FILTER (WHERE c.state = 'BLOCKED') AS blocked
  FROM claims c
  WHERE c.event_id = e.id AND c.state <> 'ENDED' AND CASE WHEN c.state = 'HELD' THEN NOT coalesce((
    SELECT o.state = 'RESERVED' AND o.expires_at <= $2
    FROM claims held JOIN orders o ON o.id = held.order_id
    WHERE held.event_id = c.event_id AND held.place = c.place AND held.state <> 'ENDED'
  ), false) ELSE true END
) AS taken
WHERE e.id = ANY ($1)
"""
_STATES = (ClaimState.HELD, ClaimState.BOOKED, ClaimState.BLOCKED)


async def places_of_events(
    source: Database | Connection, event_ids: Sequence[UUID], now: datetime
) -> dict[UUID, bytes]:
    """One byte a place (A, H, B, X) of each event; holds past their deadline are free."""
    records = await source.fetch(_PLACES, list(event_ids), now)
    return {event_id: _bytes(count, taken) for event_id, count, *taken in records}


def _bytes(count: int, taken: Sequence[Sequence[int] | None]) -> bytes:
    """One byte a place from the places in each of `_STATES`."""
    places = bytearray(FREE * count)
    for state, numbers in zip(_STATES, taken, strict=True):
        byte = ord(STATUS_OF_CLAIM[state])
        for place in numbers or ():
            if place < count:
                places[place] = byte
    return bytes(places)
