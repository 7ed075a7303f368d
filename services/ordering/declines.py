"""Declines: an order, a person and a network try a limited number of cards before the gateway is asked."""

import math
from datetime import datetime, timedelta
from uuid import UUID

from db.queries.card_attempts import declines, end_attempt, lock_payer, write_attempt
from db.session import Connection
from domain.errors import SlowDown
from domain.states import CardAttemptState
from payments.gateway import Intent
from services.context import ServiceContext

MOST_OF_ORDER = 5
"""Declines of one order"""
MOST_OF_PAYER = 10
"""Declines of one person, or of one network, within the window"""
WINDOW = timedelta(hours=1)
RETENTION = timedelta(days=1)
"""Attempts are deleted after this long"""
# Longer than a call of the gateway may take: an attempt without an outcome after this has none.
_RUNNING = timedelta(seconds=60)


async def begin_attempt(
    context: ServiceContext,
    connection: Connection,
    order_id: UUID,
    attempt: str,
    address: str,
    *,
    is_repeat: bool,
) -> None:
    """Record that a card is tried. A repetition of the last attempt is answered as before, and not refused.

    The caller has locked the order.

    Raises:
        SlowDown: The order, its person or the network has had too many declines.
    """
    now, network = context.now(), context.network_limit.counted_network(address)
    if not is_repeat:
        await check_declines(context, connection, order_id, address, attempt=attempt)
    await write_attempt(connection, order_id, attempt, network, CardAttemptState.PENDING, now)


async def check_declines(
    context: ServiceContext, connection: Connection, order_id: UUID, address: str, *, attempt: str = ""
) -> None:
    """Refuse an order, a person or a network with too many declines.

    Raises:
        SlowDown: With the time until the next card may be tried.
    """
    now, network = context.now(), context.network_limit.counted_network(address)
    await lock_payer(connection, order_id)
    found = await declines(
        connection,
        order_id,
        attempt,
        network,
        since=now - WINDOW,
        running_since=now - _RUNNING,
        most_of_order=MOST_OF_ORDER,
        most=MOST_OF_PAYER,
    )
    for limit, latest in (
        ("declines_of_order", found.of_order),
        ("declines_of_person", found.of_person),
        ("declines_of_network", found.of_network),
    ):
        if latest is not None:
            context.meters.limited(limit)
            seconds = max(1, math.ceil((latest + WINDOW - now).total_seconds()))
            raise SlowDown(seconds, "Too many cards were declined; please wait before you try another.")


async def record_decline(
    connection: Connection, order_id: UUID, attempt: str, charge_id: str | None, now: datetime
) -> None:
    """Record the outcome of an attempt. The gateway's charge is the key: a webhook may report it too."""
    network = await end_attempt(connection, order_id, attempt)
    await write_attempt(connection, order_id, charge_id or attempt, network, CardAttemptState.DECLINED, now)


async def record_charge(
    connection: Connection, order_id: UUID, intent: Intent, state: CardAttemptState, now: datetime
) -> None:
    """Record the outcome of an intent's latest charge, once."""
    if intent.charge_id is not None:
        await write_attempt(connection, order_id, intent.charge_id, None, state, now)
