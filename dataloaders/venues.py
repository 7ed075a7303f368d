"""Venues by id."""

from collections.abc import Sequence
from uuid import UUID

from strawberry.dataloader import DataLoader

from dataloaders.row_cache import TtlTable
from db.queries.venues import VenueRow, venues_by_id
from db.session import Database


def venues_loader(database: Database, cache: TtlTable[UUID, VenueRow]) -> DataLoader[UUID, VenueRow | None]:
    """One query for all the venues of a batch, stored in the row cache; None where there is none."""

    async def load(ids: Sequence[UUID]) -> list[VenueRow | None]:
        found = await venues_by_id(database, ids)
        cache.put(found)
        return [found.get(key) for key in ids]

    return DataLoader(load)
