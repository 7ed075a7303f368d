"""The outbox: run the tasks that were written with a commit. Every handler is safe to run twice."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta
from uuid import UUID

from db.queries.orders import end_claims, order_by_id, set_order_state
from db.queries.outbox import Task, claim_tasks, finish_tasks, postpone_task, write_task
from db.queries.payments import payment_of_order, set_payment_state
from db.session import DATABASE_AWAY
from domain.errors import BoxofficeError
from domain.outbox import EVENT_TOPICS, Topic
from domain.states import OrderState, PaymentState
from kit.log_context import bound
from kit.spans import traceparent_of, within
from payments.gateway import Declined, GatewayError, GatewayRejected, Intent, IntentStatus
from pubsub.keys import order_channel
from services.context import ServiceContext
from services.ordering.end_event_orders import end_event_orders
from services.ordering.mirror import free_places_of, mirror_order, refresh_sold_out
from services.ordering.send_refund import send_refund
from services.ordering.settle import apply_intent

log = logging.getLogger("boxoffice.outbox")

# After this time another worker may take a task over. One call of the gateway takes less, and the tasks of a
# crashed worker still run within 30 s.
LEASE_SECONDS = 20.0
# The tasks of a batch that run at once, so that a task that waits for the gateway does not delay the others.
_AT_ONCE = 4
_PAUSES_SECONDS = (0.2, 0.5, 1.0, 2.0)
_LONGEST_WAIT_SECONDS = 30.0
# A capture that the card's bank refuses this often counts as failed.
_CAPTURE_TRIES = 3


class NotYet(Exception):
    """The task has more to do and runs again at once."""


async def deliver(
    context: ServiceContext,
    topics: Collection[Topic] = frozenset(Topic),
    *,
    most: int = 50,
    at_once: int = _AT_ONCE,
) -> int:
    """Run the tasks of these topics that are due, and return their number."""
    tasks = await claim_tasks(context.database, context.now(), topics, most, LEASE_SECONDS)
    slots = asyncio.Semaphore(at_once)

    async def run(task: Task) -> bool:
        async with slots:
            return await _watched(context, task)

    ran = await asyncio.gather(*map(run, tasks))
    done = [task.id for task, is_done in zip(tasks, ran, strict=True) if is_done]
    if done:
        await _write_with_retries(lambda: finish_tasks(context.database, done))
    return len(tasks)


async def _write_with_retries(write: Callable[[], Awaitable[None]]) -> None:
    """Write the result of a task, trying again while the database does not answer.

    Raises:
        DATABASE_AWAY: The database did not answer the last try; the task runs again after its lease.
    """
    for pause in _PAUSES_SECONDS:
        try:
            return await write()
        except DATABASE_AWAY:
            await asyncio.sleep(pause)
    return await write()


async def _watched(context: ServiceContext, task: Task) -> bool:
    """Run one task within the trace and under the request id of its writer."""
    span = context.tracer.begin(
        f"outbox {task.topic}",
        traceparent=traceparent_of(task.payload.get("traceparent")),
        facts={"boxoffice.task": task.id, "boxoffice.attempt": task.attempts},
    )
    about = {"event_id" if task.topic in EVENT_TOPICS else "order_id": task.key}
    if "request_id" in task.payload:
        about["request_id"] = task.payload["request_id"]
    with bound(task=task.id, topic=task.topic, **about), within(span):
        done = await _run(context, task)
        if done and task.topic in _LOGGED:
            log.info("task done")
    age_seconds = (context.now() - task.created_at).total_seconds()
    context.meters.task(task.topic, "done" if done else "again", age_seconds)
    return done


async def _run(context: ServiceContext, task: Task) -> bool:
    """Run one task; after a failure, schedule it again with growing delays."""
    wait = timedelta(seconds=min(0.2 * 2 ** (task.attempts - 1), _LONGEST_WAIT_SECONDS))
    try:
        await _HANDLERS[task.topic](context, task)
    except NotYet:
        wait = timedelta(0)
        error = "more to do"
    except (BoxofficeError, GatewayError) as fault:
        error = f"{type(fault).__name__}: {fault}"
        log.warning("task %d (%s) is tried again in %s: %s", task.id, task.topic, wait, error)
    except Exception as fault:
        error = f"{type(fault).__name__}: {fault}"
        log.exception("task %d (%s) is tried again in %s", task.id, task.topic, wait)
    else:
        return True
    await _write_with_retries(lambda: postpone_task(context.database, task.id, context.now() + wait, error))
    return False


async def _mirror(context: ServiceContext, task: Task) -> None:
    await mirror_order(context, UUID(task.key))
    await _publish(context, task)


async def _mirror_many(context: ServiceContext, task: Task) -> None:
    order_ids = [UUID(order_id) for order_id in task.payload["order_ids"]]
    await free_places_of(context, order_ids)
    channels = map(order_channel, order_ids)
    await asyncio.gather(*(context.publisher.publish(channel, task.topic) for channel in channels))


async def _publish(context: ServiceContext, task: Task) -> None:
    await context.publisher.publish(order_channel(UUID(task.key)), task.topic)


async def _booked(context: ServiceContext, task: Task) -> None:
    """Show the seats as booked, and end the buyer's admission."""
    await _mirror(context, task)
    order = await order_by_id(context.database, UUID(task.key))
    if order is not None and order.admission_jti is not None:
        await context.admissions.finish(order.event_id, order.admission_jti)


async def _event_changed(context: ServiceContext, task: Task) -> None:
    await refresh_sold_out(context, UUID(task.key))


async def _capture(context: ServiceContext, task: Task) -> None:
    order_id = UUID(task.key)
    payment = await payment_of_order(context.database, order_id)
    if payment is None or payment.intent_id is None or payment.state != PaymentState.AUTHORIZED:
        return
    try:
        intent = await context.gateway.capture(
            payment.intent_id, idempotency_key=f"capture:{order_id}:{task.attempts}"
        )
    except (Declined, GatewayRejected) as rejected:
        intent = await context.gateway.retrieve(payment.intent_id)
        if intent.status is IntentStatus.REQUIRES_CAPTURE and task.attempts < _CAPTURE_TRIES:
            raise
        if intent.status is not IntentStatus.SUCCEEDED:
            await _capture_failed(context, order_id, intent, rejected.code)
            return
    await apply_intent(context, order_id, intent)


async def _capture_failed(context: ServiceContext, order_id: UUID, intent: Intent, code: str) -> None:
    """End a booking whose payment could not be captured, and void the authorisation."""
    log.error("order %s: its payment could not be captured (%s); the booking ends", order_id, code)
    now = context.now()
    async with context.database.transaction() as connection:
        if await set_order_state(
            connection, order_id, OrderState.REFUNDED, leaving=[OrderState.BOOKED], now=now
        ):
            await end_claims(connection, [order_id])
        await set_payment_state(
            connection,
            order_id,
            PaymentState.FAILED,
            leaving=[PaymentState.AUTHORIZED],
            now=now,
            failure_code=code,
        )
        await write_task(connection, Topic.MIRROR_ORDER, order_id, {}, now)
        if intent.status is IntentStatus.REQUIRES_CAPTURE:
            await write_task(connection, Topic.VOID_PAYMENT, order_id, {}, now)


async def _void(context: ServiceContext, task: Task) -> None:
    """Void the authorised payment of an order that ended."""
    order_id = UUID(task.key)
    payment = await payment_of_order(context.database, order_id)
    if payment is None or payment.intent_id is None:
        return
    intent = await context.gateway.cancel(payment.intent_id, idempotency_key=f"cancel:{order_id}")
    await apply_intent(context, order_id, intent)


async def _refund(context: ServiceContext, task: Task) -> None:
    """Send a decided refund; one whose amount was lowered is sent again."""
    done = await send_refund(context, UUID(task.key), UUID(task.payload["refund_id"]))
    await _publish(context, task)
    if not done:
        raise NotYet


async def _end_event_orders(context: ServiceContext, task: Task) -> None:
    """End one batch of orders; repeat until a batch is empty, since a reserve may have been in flight."""
    if await end_event_orders(context, UUID(task.key)):
        raise NotYet


_HANDLERS: dict[str, Callable[[ServiceContext, Task], Awaitable[None]]] = {
    Topic.MIRROR_ORDER: _mirror,
    Topic.MIRROR_ORDERS: _mirror_many,
    Topic.ORDER_CHANGED: _publish,
    Topic.ORDER_BOOKED: _booked,
    Topic.EVENT_CHANGED: _event_changed,
    Topic.CAPTURE_PAYMENT: _capture,
    Topic.VOID_PAYMENT: _void,
    Topic.SEND_REFUND: _refund,
    Topic.END_EVENT_ORDERS: _end_event_orders,
}
# The tasks that the log shows in an order's history; the others run at every change.
_LOGGED = frozenset(
    {Topic.ORDER_BOOKED, Topic.CAPTURE_PAYMENT, Topic.VOID_PAYMENT, Topic.SEND_REFUND, Topic.END_EVENT_ORDERS}
)
