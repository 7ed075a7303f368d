"""Venues by id."""

from collections.abc import Sequence
from uuid import UUID

from strawberry.dataloader import DataLoader

from dataloaders.moment import Kept
from db.queries.venues import VenueRow, venues_by_id
from db.session import Database


def venues_loader(database: Database, kept: Kept[UUID, VenueRow]) -> DataLoader[UUID, VenueRow | None]:
    """One query for all the venues of a request's turn, kept for the moment; None where there is none."""

    async def load(ids: Sequence[UUID]) -> list[VenueRow | None]:
        found = await venues_by_id(database, ids)
        kept.keep(found)
        return [found.get(key) for key in ids]

    return DataLoader(load)
