"""Disputes by order."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from strawberry.dataloader import DataLoader

from db.queries.disputes import DisputeRow, disputes_of_orders
from db.session import Database


def disputes_loader(database: Database) -> DataLoader[UUID, list[DisputeRow]]:
    """One query for the disputes of all orders of a batch, newest first."""

    async def load(order_ids: Sequence[UUID]) -> list[list[DisputeRow]]:
        found: defaultdict[UUID, list[DisputeRow]] = defaultdict(list)
        for order_id, dispute in await disputes_of_orders(database, order_ids):
            found[order_id].append(dispute)
        return [found[order_id] for order_id in order_ids]

    return DataLoader(load)
