"""The loops of ordering."""

import asyncio
from collections.abc import Awaitable
from uuid import UUID

from domain.errors import NotFound
from services.context import ServiceContext
from services.ordering.expiry import expire_lapsed, expire_paying
from services.ordering.outbox import deliver
from services.ordering.reconcile import Difference, correct_places, differences
from services.ordering.sweeps import (
    sweep_cancelled_events,
    sweep_card_attempts,
    sweep_payments,
    sweep_reversals,
)
from workers.loops import Loop

# Longer than any statement of a request may run, so an older difference is no request in flight.
STANDING_SECONDS = 10.0
_LOOK_SECONDS = 1.0


def ordering_loops(context: ServiceContext) -> list[Loop]:
    """Return the loops: expiry within 250 ms of a deadline, the outbox at once, the sweeps after them."""
    return [
        Loop("expiry", lambda: expire_lapsed(context), 0.2),
        Loop("expiry of payments", lambda: expire_paying(context), 0.5),
        Loop("outbox", lambda: deliver(context), 0.1),
        # While the first waits for the gateway, this one mirrors the seats of the other orders.
        Loop("second outbox", lambda: deliver(context), 0.25),
        # At most 25 calls of the gateway a second, because each round of 50 is followed by the pause.
        Loop("payment sweep", lambda: _without_hurry(sweep_payments(context)), 2.0),
        # A refund by hand shows within a minute, also where no webhook announced it.
        Loop("reversal sweep", lambda: _without_hurry(sweep_reversals(context)), 20.0),
        Loop("card attempts", lambda: sweep_card_attempts(context), 60.0),
        Loop("orders of cancelled events", lambda: sweep_cancelled_events(context), 2.0),
        Loop("lapsed holds", LapseSweep(context), 2.0),
        Loop("reconciliation", Reconciliation(context), STANDING_SECONDS),
        Loop("redis watch", RestartWatch(context), _LOOK_SECONDS),
    ]


async def _without_hurry(round_of: Awaitable[int]) -> int:
    """Run a round, and return 0 so that the loop pauses whatever the round found."""
    await round_of
    return 0


class LapseSweep:
    """Ends holds in Redis that are past their deadline and have no order to expire them.

    The sweep of orders is the quick one; this finds what a process left that died between the two.
    """

    def __init__(self, context: ServiceContext) -> None:
        self._context = context

    async def __call__(self) -> int:
        events = await self._context.seats.events_with_holds()
        ended = await asyncio.gather(*map(self._context.seats.lapse, events))
        return sum(map(len, ended))


class Reconciliation:
    """Corrects in Redis the differences that two rounds in a row find."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._seen: dict[UUID, frozenset[Difference]] = {}

    async def __call__(self) -> int:
        before, self._seen = self._seen, {}
        for event_id in await self._context.seats.events_built():
            try:
                found = await differences(self._context, event_id)
            except NotFound:
                continue
            standing = found & before.get(event_id, frozenset())
            if standing:
                await correct_places(self._context, event_id, standing)
            if found - standing:
                self._seen[event_id] = found - standing
        return 0


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
