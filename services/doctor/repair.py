"""Mend: what an examination has found and no person is needed for. Everything is safe to do twice."""

from uuid import UUID

from db.queries.doctor import OpenRefund, OrderStanding, StuckTask, make_due, restore_claims
from db.queries.orders import book_claims, end_claims, lock_order, order_by_id
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
from services.ordering.reconcile import Difference, correct_places
from services.ordering.settle import apply_intent


async def end_order_claims(context: ServiceContext, order: OrderStanding) -> None:
    """Free the places of an order that is over."""
    async with context.database.transaction() as connection:
        locked = await lock_order(connection, order.id)
        if locked is not None and locked.state == order.state:
            await end_claims(connection, [order.id])
            await write_task(connection, Topic.MIRROR_ORDER, order.id, {}, context.now())


async def book_order_claims(context: ServiceContext, order: OrderStanding) -> None:
    """Book what a booked order only holds."""
    async with context.database.transaction() as connection:
        locked = await lock_order(connection, order.id)
        if locked is not None and locked.state == OrderState.BOOKED:
            await book_claims(connection, order.id)
            await write_task(connection, Topic.MIRROR_ORDER, order.id, {}, context.now())


async def end_overdue_orders(context: ServiceContext, _: OrderStanding) -> None:
    """Do what no worker has done at the deadline."""
    await reading(expire_lapsed(context))
    await expire_paying(context)


async def restore_places(context: ServiceContext, order: OrderStanding) -> None:
    """Claim again what an order has lost, unless somebody else has it by now."""
    state = ClaimState.BOOKED if order.state == OrderState.BOOKED else ClaimState.HELD
    try:
        async with context.database.transaction() as connection:
            locked = await lock_order(connection, order.id)
            if locked is not None and locked.state == order.state:
                await restore_claims(connection, order.id, order.lost_places, state)
                await write_task(connection, Topic.MIRROR_ORDER, order.id, {}, context.now())
    except PlaceTaken:
        return


async def is_misshapen(context: ServiceContext, event_id: UUID) -> bool:
    """Whether an event's map in Redis has another length than its layout."""
    sale = await context.sale(event_id)
    seat_map = await context.seat_map(sale.seat_map_version)
    return len((await context.seats.snapshot(event_id)).places) != seat_map.place_count


async def rebuild(context: ServiceContext, event_id: UUID) -> None:
    """Build an event's map anew, under a new epoch."""
    version = await context.seats.version(event_id)
    await context.seats.build(event_id, replacing=version[0] if version else "")


async def correct(context: ServiceContext, event_id: UUID, difference: Difference) -> None:
    """Show one place as PostgreSQL has it."""
    await correct_places(context, event_id, frozenset([difference]))


async def settle(context: ServiceContext, order_id: UUID, intent: Intent) -> None:
    """Bring an order to where its intent is, and write what follows even where it was written before."""
    await reading(set_intent(context.database, order_id, intent.id))
    await apply_intent(context, order_id, intent)


async def write(context: ServiceContext, topic: Topic, order_id: UUID, intent: Intent) -> None:
    """Have the outbox do something for an order's payment once more."""
    await reading(set_intent(context.database, order_id, intent.id))
    async with context.database.transaction() as connection:
        if await order_by_id(connection, order_id) is not None:
            await write_task(connection, topic, order_id, {}, context.now())


async def send_refund(context: ServiceContext, refund: OpenRefund) -> None:
    """Have a refund sent that nothing was going to send; its key keeps it from being paid twice."""
    payload = {"refund_id": str(refund.id)}
    async with context.database.transaction() as connection:
        await write_task(connection, Topic.SEND_REFUND, refund.order_id, payload, context.now())


async def hurry(context: ServiceContext, task: StuckTask) -> None:
    """Have a task of the outbox tried at once."""
    await reading(make_due(context.database, task.id, context.now()))


async def index_again(context: ServiceContext, event: str) -> None:
    """Have an event delivered to the index again, or taken out of it."""
    async with context.database.connection() as connection:
        await mark_dirty(connection, [parse_id(event, Kind.EVENT)])
