"""Payments by order."""

from collections.abc import Sequence
from uuid import UUID

from strawberry.dataloader import DataLoader

from db.queries.payments import PaymentRow, payments_of_orders
from db.session import Database


def payments_loader(database: Database) -> DataLoader[UUID, PaymentRow | None]:
    """One query for the payments of all orders of a batch; None where there is none."""

    async def load(order_ids: Sequence[UUID]) -> list[PaymentRow | None]:
        found = {payment.order_id: payment for payment in await payments_of_orders(database, order_ids)}
        return [found.get(order_id) for order_id in order_ids]

    return DataLoader(load)
