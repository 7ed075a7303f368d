"""Tickets after the sale: void ones, and new generations."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.queries.orders import Source
from db.session import Connection


@dataclass(frozen=True, slots=True)
class VoidedTicket:
    """Codes below `min_generation` are void; None: all of them are."""

    ticket_id: UUID
    min_generation: int | None


@dataclass(frozen=True, slots=True)
class VoidList:
    """An event's void list, or what was added since a version of it. A ticket is on it once."""

    version: int
    voids: tuple[VoidedTicket, ...]


async def void_list(source: Source, event_id: UUID, since: int) -> VoidList:
    """The present version of an event's void list, and what was added after the version `since`."""
    rows = await source.fetch(
        """
        SELECT list.version, ticket_id, CASE WHEN claims.state = 'BOOKED' THEN generation END
        FROM void_lists AS list
        LEFT JOIN claims ON claims.event_id = list.event_id AND void_version > $2
        WHERE list.event_id = $1
        ORDER BY void_version
        """,
        event_id,
        since,
    )
    voids = tuple(VoidedTicket(ticket, generation) for _, ticket, generation in rows if ticket is not None)
    return VoidList(rows[0][0] if rows else 0, voids)


async def raise_generation(connection: Connection, ticket_id: UUID, now: datetime) -> int | None:
    """Issue a booked claim's ticket anew; returns its generation, None where there is no such ticket."""
    generation: int | None = await connection.fetchval(
        """
        UPDATE claims SET generation = generation + 1, issued_at = $2
        WHERE ticket_id = $1 AND state = 'BOOKED' RETURNING generation
        """,
        ticket_id,
        now,
    )
    return generation
