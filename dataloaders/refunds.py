"""Refunds by order."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from strawberry.dataloader import DataLoader

from db.queries.refunds import OrderRefundRow, refunds_of_orders
from db.session import Database


def refunds_loader(database: Database) -> DataLoader[UUID, list[OrderRefundRow]]:
    """One query for the refunds of all orders of a batch, oldest first."""

    async def load(order_ids: Sequence[UUID]) -> list[list[OrderRefundRow]]:
        found: defaultdict[UUID, list[OrderRefundRow]] = defaultdict(list)
        for refund in await refunds_of_orders(database, order_ids):
            found[refund.order_id].append(refund)
        return [found[order_id] for order_id in order_ids]

    return DataLoader(load)
