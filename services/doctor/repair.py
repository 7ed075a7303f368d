"""Repair: the differences that need no person. Every repair is safe to run twice."""

from uuid import UUID

from db.queries.doctor import OpenRefund, OrderStanding, StuckTask, make_due, restore_claims
from db.queries.orders import end_claims, lock_order, order_by_id
from db.queries.outbox import write_task
from db.queries.payments import set_intent
from db.queries.search import mark_dirty
from db.violations import PlaceTaken
from domain.ids import Kind, parse_id
from domain.outbox import Topic
from domain.states import ClaimState, OrderState
from payments.gateway import Intent
from services.context import ServiceContext, reading
from services.ordering.expiry import expire_lapsed, expire_paying
from services.ordering.lost_orders import recover_order
from services.ordering.reconcile import Difference, correct_standing
from services.ordering.settle import apply_intent, settle_order
from services.tickets.issue import issue_tickets


async def end_order_claims(context: ServiceContext, order: OrderStanding) -> None:
    """End the claims of an order that is over."""
    async with context.database.transaction() as connection:
        locked = await lock_order(connection, order.id)
        if locked is not None and locked.state == order.state:
            await end_claims(connection, [order.id])
            await write_task(connection, Topic.MIRROR_ORDER, order.id, {}, context.now())


async def book_order_claims(context: ServiceContext, order: OrderStanding) -> None:
    """Book the held claims of a booked order."""
    async with context.database.transaction() as connection:
        locked = await lock_order(connection, order.id)
        if locked is not None and locked.state == OrderState.BOOKED:
            await issue_tickets(connection, order.id, context.now())
            await write_task(connection, Topic.MIRROR_ORDER, order.id, {}, context.now())


async def end_overdue_orders(context: ServiceContext, _: OrderStanding) -> None:
    """Expire the orders that no worker has expired."""
    await reading(expire_lapsed(context))
    await expire_paying(context)


async def restore_places(context: ServiceContext, order: OrderStanding) -> None:
    """Claim an order's lost places again, unless another order has one of them."""
    state = ClaimState.BOOKED if order.state == OrderState.BOOKED else ClaimState.HELD
    try:
        async with context.database.transaction() as connection:
            locked = await lock_order(connection, order.id)
            if locked is not None and locked.state == order.state:
                await restore_claims(connection, order.id, order.lost_places, state)
                await write_task(connection, Topic.MIRROR_ORDER, order.id, {}, context.now())
    except PlaceTaken:
        return


async def has_wrong_length(context: ServiceContext, event_id: UUID) -> bool:
    """Return whether an event's map in Redis has another length than its layout."""
    sale = await context.sale(event_id)
    seat_map = await context.seat_map(sale.seat_map_version)
    return len((await context.seats.snapshot_in_redis(event_id)).places) != seat_map.place_count


async def rebuild(context: ServiceContext, event_id: UUID) -> None:
    """Rebuild an event's map under a new epoch."""
    version = await context.seats.version(event_id)
    await context.seats.build(event_id, replacing=version[0] if version else "")


async def correct(context: ServiceContext, event_id: UUID, difference: Difference) -> None:
    """Correct one place in Redis."""
    await correct_standing(context, event_id, frozenset([difference]))


async def recover(context: ServiceContext, intent: Intent) -> None:
    """Write an order that the database has lost again, as its intent knows it; booked, or refunded."""
    await recover_order(context, intent)


async def settle(context: ServiceContext, order_id: UUID, intent: Intent) -> None:
    """Apply an intent to its order; the follow-up tasks are written even if they were written before."""
    await reading(set_intent(context.database, order_id, intent.id))
    await apply_intent(context, order_id, intent)


async def take_in(context: ServiceContext, order_id: UUID) -> None:
    """Take in what went back at the gateway, by hand or by a refund whose answer was lost."""
    await settle_order(context, order_id)


async def write_task_again(context: ServiceContext, topic: Topic, order_id: UUID, intent: Intent) -> None:
    """Write a task for an order's payment again."""
    await reading(set_intent(context.database, order_id, intent.id))
    async with context.database.transaction() as connection:
        if await order_by_id(connection, order_id) is not None:
            await write_task(connection, topic, order_id, {}, context.now())


async def send_refund(context: ServiceContext, refund: OpenRefund) -> None:
    """Write the task of a refund that has none; its idempotency key prevents a second payment."""
    payload = {"refund_id": str(refund.id)}
    async with context.database.transaction() as connection:
        await write_task(connection, Topic.SEND_REFUND, refund.order_id, payload, context.now())


async def retry_now(context: ServiceContext, task: StuckTask) -> None:
    """Make a task of the outbox due at once."""
    await reading(make_due(context.database, task.id, context.now()))


async def index_again(context: ServiceContext, event: str) -> None:
    """Send an event's document to the index again, or delete it there."""
    async with context.database.connection() as connection:
        await mark_dirty(connection, [parse_id(event, Kind.EVENT)])
