"""The places of events from PostgreSQL, for events that Redis does not hold."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from db.session import Connection, Database
from domain.seat_status import FREE, STATUS_OF_CLAIM

_BYTE_OF_CLAIM = {state: ord(status) for state, status in STATUS_OF_CLAIM.items()}


async def places_of_events(
    source: Database | Connection, event_ids: Sequence[UUID], now: datetime
) -> dict[UUID, bytes]:
    """One byte a place (A, H, B, X) of each event; holds past their deadline are free."""
    records = await source.fetch(
        "SELECT e.id, m.place_count, c.place, c.state"
        " FROM events e JOIN seat_maps m ON m.version = e.seat_map_version"
        " LEFT JOIN (claims c LEFT JOIN orders o ON o.id = c.order_id)"
        "   ON c.event_id = e.id AND c.state <> 'ENDED' AND NOT"
        "      (c.state = 'HELD' AND o.state = 'RESERVED' AND o.expires_at <= $2)"
        " WHERE e.id = ANY($1)",
        list(event_ids),
        now,
    )
    found: dict[UUID, bytearray] = {}
    for event_id, count, place, state in records:
        places = found.get(event_id)
        if places is None:
            places = found[event_id] = bytearray(FREE * count)
        if place is not None and place < count:
            places[place] = _BYTE_OF_CLAIM[state]
    return {event_id: bytes(places) for event_id, places in found.items()}
