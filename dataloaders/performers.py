"""Performers by id, and by the event whose bill they are on."""

from collections.abc import Sequence
from uuid import UUID

from strawberry.dataloader import DataLoader

from dataloaders.row_cache import TtlTable
from db.queries.performers import PerformerRow, performers_by_id, performers_of_events
from db.session import Database


def performers_loader(database: Database) -> DataLoader[UUID, PerformerRow | None]:
    """One query for all the performers of a batch; None where there is none."""

    async def load(ids: Sequence[UUID]) -> list[PerformerRow | None]:
        found = await performers_by_id(database, ids)
        return [found.get(key) for key in ids]

    return DataLoader(load)


def bills_loader(
    database: Database, cache: TtlTable[UUID, list[PerformerRow]]
) -> DataLoader[UUID, list[PerformerRow]]:
    """One query for the bills of all events of a batch, stored in the row cache."""

    async def load(event_ids: Sequence[UUID]) -> list[list[PerformerRow]]:
        found = await performers_of_events(database, event_ids)
        bills = {event_id: found.get(event_id, []) for event_id in event_ids}
        cache.put(bills)
        return list(bills.values())

    return DataLoader(load)
