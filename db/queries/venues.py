"""Venues."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from db.queries.columns import column_names, columns_of
from db.session import Connection, Database
from domain.ids import Kind, public_id
from kit.ids import new_uuid


@dataclass(frozen=True, slots=True)
class VenueDescription:
    """A venue as an organiser or an import describes it: the columns that every reader and writer shares."""

    name: str
    address: str | None
    city: str
    country: str | None
    lat: float | None
    lng: float | None
    timezone: str


@dataclass(frozen=True, slots=True)
class VenueRow(VenueDescription):
    """One venue."""

    id: UUID

    @property
    def public_id(self) -> str:
        """E.g. ven_01jd3x8k2m9q4r5s6t7v8w9x0y."""
        return public_id(Kind.VENUE, self.id)


async def venues_by_id(source: Database | Connection, ids: Sequence[UUID]) -> dict[UUID, VenueRow]:
    """The venues with these ids."""
    records = await source.fetch(f"SELECT {columns_of(VenueRow)} FROM venues WHERE id = ANY($1)", list(ids))
    return {record["id"]: VenueRow(*record) for record in records}


async def venue_like(connection: Connection, venue: VenueDescription) -> UUID:
    """The id of the venue with exactly this description, inserted where there is none."""
    names = column_names(VenueDescription)
    values = [getattr(venue, name) for name in names]
    same = " AND ".join(f"{name} IS NOT DISTINCT FROM ${number}" for number, name in enumerate(names, 1))
    found: UUID | None = await connection.fetchval(
        f"SELECT id FROM venues WHERE {same} ORDER BY id LIMIT 1", *values
    )
    if found is not None:
        return found
    marks = ", ".join(f"${number}" for number in range(1, len(names) + 2))
    made: UUID = await connection.fetchval(
        f"INSERT INTO venues ({', '.join(names)}, id) VALUES ({marks}) RETURNING id", *values, new_uuid()
    )
    return made
