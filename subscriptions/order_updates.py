"""orderUpdated: the caller's order, at once and on every change."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

from db.queries.orders import OrderRow
from db.queries.payments import payments_of_orders
from domain.errors import Unavailable
from domain.viewer import Viewer
from pubsub.channels import Channels
from pubsub.keys import order_channel
from services.context import ServiceContext, reading
from services.identity.authorisation import buyer_of
from services.ordering.pay import owned_order

# A message may be lost, so the order is also read at this interval.
POLL_SECONDS = 5.0


async def order_updates(
    context: ServiceContext, channels: Channels, viewer: Viewer | None, order_id: UUID
) -> AsyncIterator[OrderRow]:
    """Yield the order, and again after each change of it or of its payment.

    Raises:
        NotFound: There is no such order, or it is another buyer's.
    """
    buyer = buyer_of(viewer)
    await owned_order(context, buyer, order_id)
    async with channels.subscribe(order_channel(order_id)) as mailbox:
        sent: object = None
        while True:
            try:
                order, state = await _read(context, buyer, order_id)
            except Unavailable:
                await asyncio.sleep(1)
                continue
            if state != sent:
                sent = state
                yield order
            await mailbox.wait(POLL_SECONDS)


async def _read(context: ServiceContext, buyer: Viewer, order_id: UUID) -> tuple[OrderRow, object]:
    order = await owned_order(context, buyer, order_id)
    payments = await reading(payments_of_orders(context.database, [order_id]))
    return order, (order, tuple(payments))
