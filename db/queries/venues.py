"""Reading venues."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from uuid import UUID

from db.session import Connection, Database
from domain.ids import Kind, public_id


@dataclass(frozen=True, slots=True)
class VenueRow:
    """One house."""

    id: UUID
    name: str
    address: str | None
    city: str
    country: str | None
    lat: float | None
    lng: float | None
    timezone: str

    @property
    def public_id(self) -> str:
        """E.g. ven_01jd3x8k2m9q4r5s6t7v8w9x0y."""
        return public_id(Kind.VENUE, self.id)


COLUMNS = ", ".join(each.name for each in fields(VenueRow))


async def venues_by_id(source: Database | Connection, ids: Sequence[UUID]) -> dict[UUID, VenueRow]:
    """The venues with these ids."""
    records = await source.fetch(f"SELECT {COLUMNS} FROM venues WHERE id = ANY($1)", list(ids))
    return {record["id"]: VenueRow(*record) for record in records}
