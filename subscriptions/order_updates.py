"""orderUpdated: the caller's order, now and on every change."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

from db.queries.orders import OrderRow
from db.queries.payments import payments_of_orders
from domain.channels import order_channel
from domain.errors import Unavailable
from domain.viewer import Viewer
from pubsub.channels import Channels
from services.context import ServiceContext, reading
from services.identity.authorisation import buyer_of
from services.ordering.pay import owned_order

# A message may be lost; this often the order is looked at all the same.
LOOK_SECONDS = 5.0


async def order_updates(
    context: ServiceContext, channels: Channels, viewer: Viewer | None, order_id: UUID
) -> AsyncIterator[OrderRow]:
    """The order as it is, then again whenever it or its payment has changed.

    Raises:
        NotFound: there is no such order, or it is someone else's.
    """
    buyer = buyer_of(viewer)
    await owned_order(context, buyer, order_id)
    async with channels.subscribe(order_channel(order_id)) as mailbox:
        told: object = None
        while True:
            try:
                order, seen = await _look(context, buyer, order_id)
            except Unavailable:
                await asyncio.sleep(1)
                continue
            if seen != told:
                told = seen
                yield order
            await mailbox.wait(LOOK_SECONDS)


async def _look(context: ServiceContext, buyer: Viewer, order_id: UUID) -> tuple[OrderRow, object]:
    order = await owned_order(context, buyer, order_id)
    payments = await reading(payments_of_orders(context.database, [order_id]))
    return order, (order, tuple(payments))
