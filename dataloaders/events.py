"""Events by id."""

from collections.abc import Sequence
from uuid import UUID

from strawberry.dataloader import DataLoader

from dataloaders.moment import Kept
from db.queries.events import EventRow, events_by_id
from db.session import Database


def events_loader(database: Database, kept: Kept[UUID, EventRow]) -> DataLoader[UUID, EventRow | None]:
    """One query for all the events of a request's turn, kept for the moment; None where there is none."""

    async def load(ids: Sequence[UUID]) -> list[EventRow | None]:
        found = await events_by_id(database, ids)
        kept.keep(found)
        return [found.get(key) for key in ids]

    return DataLoader(load)
