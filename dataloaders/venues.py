"""Venues by id."""

from collections.abc import Sequence
from uuid import UUID

from strawberry.dataloader import DataLoader

from db.queries.venues import VenueRow, venues_by_id
from db.session import Database


def venues_loader(database: Database, kept: dict[UUID, VenueRow]) -> DataLoader[UUID, VenueRow | None]:
    """One query for all the venues of a request's turn, kept for the moment; None where there is none."""

    async def load(ids: Sequence[UUID]) -> list[VenueRow | None]:
        found = await venues_by_id(database, ids)
        kept.update(found)
        return [found.get(key) for key in ids]

    return DataLoader(load)
