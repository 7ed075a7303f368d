"""The terms of an event's sale: what a purchase reads of an event."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.queries.columns import columns_of
from db.queries.orders import Source


@dataclass(frozen=True, slots=True)
class SaleRow:
    """The terms of an event's sale."""

    id: UUID
    organiser_id: UUID | None
    name: str
    state: str
    starts_at: datetime
    ends_at: datetime | None
    on_sale_at: datetime | None
    off_sale_at: datetime | None
    seat_map_version: str
    max_tickets_per_order: int
    max_tickets_per_person: int
    orphan_rule: bool
    sold_out: bool
    waiting_room_enabled: bool
    moved_at: datetime | None = None
    """When its start was last changed"""


_PERSON_LIMIT = "coalesce(max_tickets_per_person, max_tickets_per_order) AS max_tickets_per_person"
_COLUMNS = columns_of(SaleRow).replace("max_tickets_per_person", _PERSON_LIMIT)


async def sale_by_event(source: Source, event_id: UUID) -> SaleRow | None:
    """The terms of one event's sale."""
    row = await source.fetchrow(f"SELECT {_COLUMNS} FROM events WHERE id = $1", event_id)
    return SaleRow(**row) if row else None


async def set_event_state(
    source: Source, event_id: UUID, state: str, *, leaving: tuple[str, ...], now: datetime
) -> bool:
    """Set an event's state where it is in one of the states `leaving`; returns whether it was."""
    return bool(
        await source.fetchval(
            "UPDATE events SET state = $2, updated_at = $4 WHERE id = $1 AND state = ANY ($3) RETURNING true",
            event_id,
            state,
            list(leaving),
            now,
        )
    )
