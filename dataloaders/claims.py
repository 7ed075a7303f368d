"""Claims by order."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from strawberry.dataloader import DataLoader

from db.queries.orders import ClaimRow, claims_of_orders
from db.session import Database


def claims_loader(database: Database) -> DataLoader[UUID, list[ClaimRow]]:
    """One query for the claims of all orders of a batch, in order of their places."""

    async def load(order_ids: Sequence[UUID]) -> list[list[ClaimRow]]:
        found: defaultdict[UUID, list[ClaimRow]] = defaultdict(list)
        for claim in await claims_of_orders(database, order_ids):
            found[claim.order_id].append(claim)
        return [found[order_id] for order_id in order_ids]

    return DataLoader(load)
