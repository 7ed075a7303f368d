"""Performers and the bills of events."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from db.queries.columns import columns_of
from db.session import Connection, Database
from domain.ids import Kind, public_id


@dataclass(frozen=True, slots=True)
class PerformerRow:
    """A person or group on an event's bill."""

    id: UUID
    name: str
    bio: str | None
    genres: list[str]

    @property
    def public_id(self) -> str:
        """E.g. per_01jd3x8k2m9q4r5s6t7v8w9x0y."""
        return public_id(Kind.PERFORMER, self.id)


_COLUMNS = columns_of(PerformerRow, "p")


async def performers_by_id(source: Database | Connection, ids: Sequence[UUID]) -> dict[UUID, PerformerRow]:
    """The performers with these ids."""
    records = await source.fetch(f"SELECT {_COLUMNS} FROM performers p WHERE p.id = ANY($1)", list(ids))
    return {record["id"]: PerformerRow(*record) for record in records}


async def performers_of_events(
    source: Database | Connection, event_ids: Sequence[UUID]
) -> dict[UUID, list[PerformerRow]]:
    """The bill of each event, in billing order; events without one are absent."""
    records = await source.fetch(
        f"SELECT b.event_id, {_COLUMNS} FROM event_performers b JOIN performers p ON p.id = b.performer_id"
        " WHERE b.event_id = ANY($1) ORDER BY b.event_id, b.position, p.id",
        list(event_ids),
    )
    bills: dict[UUID, list[PerformerRow]] = {}
    for event_id, *columns in records:
        bills.setdefault(event_id, []).append(PerformerRow(*columns))
    return bills
