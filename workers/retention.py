"""The loop that removes data which was stored long enough."""

import time
from collections.abc import Callable

from db.session import Database
from kit.clock import Clock, utc_now
from services.identity.retention import Retention, remove_outdated
from settings import Settings
from workers.loops import Loop

LOOK_SECONDS = 3600.0
_ROUND_SECONDS = 10.0


def retention_loop(database: Database, settings: Settings) -> Loop:
    """Return the loop, which looks once an hour and then removes batch after batch."""
    retention = Retention(
        guest_days=settings.retain_guest_days,
        queue_days=settings.retain_queue_days,
        network_days=settings.retain_network_days,
        webhook_days=settings.retain_webhook_days,
        claim_days=settings.retain_claim_days,
    )
    return Loop("retention", RetentionSweep(database, retention), _ROUND_SECONDS)


class RetentionSweep:
    """One batch a round, until nothing is left; then rounds without work for an hour."""

    def __init__(
        self,
        database: Database,
        retention: Retention,
        *,
        clock: Clock = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._retention = retention
        self._clock = clock
        self._monotonic = monotonic
        self._next_look = float("-inf")

    async def __call__(self) -> int:
        """Return how much was removed."""
        if self._monotonic() < self._next_look:
            return 0
        removed = await remove_outdated(self._database, self._retention, self._clock())
        if not removed:
            self._next_look = self._monotonic() + LOOK_SECONDS
        return removed
