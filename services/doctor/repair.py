"""Mend: what an examination has found and no person is needed for. Everything is safe to do twice."""

from uuid import UUID

from db.queries.examination import OpenRefund, OrderStanding, StuckTask, bring_forward, restore_claims
from db.queries.orders import book_claims, end_claims, lock_order, order_by_id
from db.queries.outbox import write_task
from db.queries.payments import set_intent
from db.queries.search import mark_dirty
from db.violations import PlaceTaken
from domain.ids import Kind, parse_id
from domain.outbox import Topic
from domain.states import ClaimState, OrderState
from payments.gateway import Intent
from services.context import Office, reading
from services.ordering.expiry import expire_lapsed, expire_paying
from services.ordering.mirror import Difference, repair
from services.ordering.settle import apply_intent


async def end_order_claims(office: Office, order: OrderStanding) -> None:
    """Free the places of an order that is over."""
    async with office.database.transaction() as connection:
        locked = await lock_order(connection, order.id)
        if locked is not None and locked.state == order.state:
            await end_claims(connection, [order.id])
            await write_task(connection, Topic.MIRROR_ORDER, order.id, {}, office.now())


async def book_order_claims(office: Office, order: OrderStanding) -> None:
    """Book what a booked order only holds."""
    async with office.database.transaction() as connection:
        locked = await lock_order(connection, order.id)
        if locked is not None and locked.state == OrderState.BOOKED:
            await book_claims(connection, order.id)
            await write_task(connection, Topic.MIRROR_ORDER, order.id, {}, office.now())


async def end_overdue_orders(office: Office, _: OrderStanding) -> None:
    """Do what no worker has done at the deadline."""
    await reading(expire_lapsed(office))
    await expire_paying(office)


async def restore_places(office: Office, order: OrderStanding) -> None:
    """Claim again what an order has lost, unless somebody else has it by now."""
    state = ClaimState.BOOKED if order.state == OrderState.BOOKED else ClaimState.HELD
    try:
        async with office.database.transaction() as connection:
            locked = await lock_order(connection, order.id)
            if locked is not None and locked.state == order.state:
                await restore_claims(connection, order.id, order.lost_places, state)
                await write_task(connection, Topic.MIRROR_ORDER, order.id, {}, office.now())
    except PlaceTaken:
        return


async def is_misshapen(office: Office, event_id: UUID) -> bool:
    """Whether an event's map in Redis has another length than its layout."""
    sale = await office.sale(event_id)
    seat_map = await office.seat_map(sale.seat_map_version)
    return len((await office.seats.snapshot(event_id)).places) != seat_map.place_count


async def rebuild(office: Office, event_id: UUID) -> None:
    """Build an event's map anew, under a new epoch."""
    version = await office.seats.version(event_id)
    await office.seats.build(event_id, replacing=version[0] if version else "")


async def correct(office: Office, event_id: UUID, difference: Difference) -> None:
    """Show one place as PostgreSQL has it."""
    await repair(office, event_id, frozenset([difference]))


async def settle(office: Office, order_id: UUID, intent: Intent) -> None:
    """Bring an order to where its intent is, and write what follows even where it was written before."""
    await reading(set_intent(office.database, order_id, intent.id))
    await apply_intent(office, order_id, intent)


async def write(office: Office, topic: Topic, order_id: UUID, intent: Intent) -> None:
    """Have the outbox do something for an order's payment once more."""
    await reading(set_intent(office.database, order_id, intent.id))
    async with office.database.transaction() as connection:
        if await order_by_id(connection, order_id) is not None:
            await write_task(connection, topic, order_id, {}, office.now())


async def send_refund(office: Office, refund: OpenRefund) -> None:
    """Have a refund sent that nothing was going to send; its key keeps it from being paid twice."""
    payload = {"refund_id": str(refund.id)}
    async with office.database.transaction() as connection:
        await write_task(connection, Topic.SEND_REFUND, refund.order_id, payload, office.now())


async def hurry(office: Office, task: StuckTask) -> None:
    """Have a task of the outbox tried at once."""
    await reading(bring_forward(office.database, task.id, office.now()))


async def index_again(office: Office, event: str) -> None:
    """Have an event delivered to the index again, or taken out of it."""
    async with office.database.connection() as connection:
        await mark_dirty(connection, [parse_id(event, Kind.EVENT)])
