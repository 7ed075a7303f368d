"""The loops of ordering."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta

from domain.outbox import OTHER_TOPICS, PACED_TOPICS
from kit.clock import milliseconds
from services.context import ServiceContext
from services.ordering.expiry import expire_lapsed, expire_paying
from services.ordering.lost_orders import settle_promotion
from services.ordering.outbox import deliver
from services.ordering.retire_maps import retire_maps
from services.ordering.sweeps import (
    sweep_cancelled_events,
    sweep_card_attempts,
    sweep_payments,
    sweep_reversals,
)
from workers.loops import Loop
from workers.reconciliation import Reconciliation

# Longer than any statement of a request may run, so an older difference is no request in flight.
STANDING_SECONDS = 10.0
_LOOK_SECONDS = 1.0
# With the gateway's usual 0.3 s for a refund, 50 a second.
_REFUNDS_AT_ONCE = 16
_SLACK = timedelta(minutes=1)


def ordering_loops(context: ServiceContext) -> list[Loop]:
    """Return the loops: expiry within 250 ms of a deadline, the outbox at once, the sweeps after them."""
    return [
        Loop("expiry", lambda: expire_lapsed(context), 0.2),
        Loop("expiry of payments", lambda: expire_paying(context), 0.5),
        Loop("outbox", lambda: deliver(context, OTHER_TOPICS), 0.1),
        # While the first waits for the gateway, this one mirrors the seats of the other orders.
        Loop("second outbox", lambda: deliver(context, OTHER_TOPICS), 0.25),
        # The refunds of a cancelled event take turns with nothing else, and delay nothing else.
        Loop("refunds", lambda: deliver(context, PACED_TOPICS, at_once=_REFUNDS_AT_ONCE), 0.2),
        # At most 25 calls of the gateway a second, because each round of 50 is followed by the pause.
        Loop("payment sweep", lambda: _without_hurry(sweep_payments(context)), 2.0),
        # A refund by hand shows within a minute, also where no webhook announced it.
        Loop("reversal sweep", lambda: _without_hurry(sweep_reversals(context)), 20.0),
        Loop("promotion watch", lambda: settle_promotion(context), 5.0),
        Loop("card attempts", lambda: sweep_card_attempts(context), 60.0),
        Loop("orders of cancelled events", lambda: sweep_cancelled_events(context), 2.0),
        Loop("lapsed holds", LapseSweep(context), 2.0),
        Loop("reconciliation", Reconciliation(context), STANDING_SECONDS),
        Loop("maps of past events", lambda: retire_maps(context), 45.0),
        Loop("redis watch", RestartWatch(context), _LOOK_SECONDS),
    ]


async def _without_hurry(round_of: Awaitable[int]) -> int:
    """Run a round, and return 0 so that the loop pauses whatever the round found."""
    await round_of
    return 0


class LapseSweep:
    """Ends holds in Redis that are past their deadline and have no order to expire them.

    The sweep of orders is the quick one; this finds what a process left that died between the two. It looks
    at the events that have changed within the life of a hold.
    """

    def __init__(self, context: ServiceContext) -> None:
        self._context = context

    async def __call__(self) -> int:
        seats = self._context.seats
        since_ms = milliseconds(self._context.now() - self._context.hold_time - _SLACK)
        changed = await seats.changed.since(since_ms)
        ended = await asyncio.gather(*map(seats.lapse, changed), return_exceptions=True)
        await seats.changed.forget_before(since_ms)
        # The events of a dead node are left out; it may take a while until it is back.
        return sum(len(holds) for holds in ended if not isinstance(holds, BaseException))


class RestartWatch:
    """Notices that an event is on another server, or in another run of it, than the one that built it.

    A restarted or promoted server may lack the latest writes, so the event is built again. What somebody has
    built since is left alone: an emptied Redis gives each watcher one snapshot, not two.
    """

    def __init__(self, context: ServiceContext) -> None:
        self._context = context

    async def __call__(self) -> int:
        seats = self._context.seats
        state = await seats.new_server_runs()
        if state is None:
            return 0
        for event_id in await seats.built_elsewhere():
            version = await seats.version(event_id)
            if version is not None:
                await seats.build(event_id, replacing=version[0])
        await seats.remember_server_runs(state)
        return 0
