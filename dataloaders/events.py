"""Events by id."""

from collections.abc import Sequence
from uuid import UUID

from strawberry.dataloader import DataLoader

from dataloaders.row_cache import TtlTable
from db.queries.events import EventRow, events_by_id
from db.session import Database


def events_loader(database: Database, cache: TtlTable[UUID, EventRow]) -> DataLoader[UUID, EventRow | None]:
    """One query for all the events of a batch, stored in the row cache; None where there is none."""

    async def load(ids: Sequence[UUID]) -> list[EventRow | None]:
        found = await events_by_id(database, ids)
        cache.put(found)
        return [found.get(key) for key in ids]

    return DataLoader(load)
