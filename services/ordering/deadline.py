"""The deadline of an order moves once, when its payment begins."""

from datetime import datetime

from db.queries.orders import OrderRow, extend_order
from db.queries.outbox import write_task
from db.session import Connection
from domain.outbox import Topic
from domain.states import OrderState
from services.context import ServiceContext


async def begin_paying(
    context: ServiceContext, connection: Connection, order: OrderRow, now: datetime
) -> None:
    """Make a RESERVED order PAYING and move its deadline; any other order, and one too late, stays as it is.

    The caller has locked the order.
    """
    if order.state != OrderState.RESERVED or order.expires_at <= now:
        return
    await extend_order(connection, order.id, max(order.expires_at, now + context.payment_time), now)
    await write_task(connection, Topic.MIRROR_ORDER, order.id, {}, now)
