"""The admission loop: a round of every waiting room that is switched on, some times a second."""

import asyncio
import logging
import time
from uuid import UUID

from db.queries.waiting_rooms import WaitingRoomRow
from domain.errors import Unavailable
from services.waiting_room.admission_controller import AdmissionController, AdmissionResult
from workers.loops import Loop

log = logging.getLogger("boxoffice.waiting_room")

TICK_SECONDS = 0.25
_REFRESH_SECONDS = 1.0
# Without changes the state is published at this interval, so that a lost message does no lasting harm.
_QUIET_SECONDS = 2.0


def admission_loop(controller: AdmissionController) -> Loop:
    """Return the loop of admissions."""
    return Loop("admission", AdmissionRound(controller), TICK_SECONDS)


class AdmissionRound:
    """One round of every waiting room. Workers may run it at once: the scripts hold the cap and the rate."""

    def __init__(self, controller: AdmissionController) -> None:
        self._controller = controller
        self._rows: list[WaitingRoomRow] = []
        self._refreshed_at = -_REFRESH_SECONDS
        self._published: dict[UUID, tuple[float, tuple[object, ...]]] = {}

    async def __call__(self) -> int:
        """Return 0, because the interval does not depend on the work found."""
        refresh = time.monotonic() - self._refreshed_at >= _REFRESH_SECONDS
        if refresh:
            self._rows = await self._controller.rows()
            self._refreshed_at = time.monotonic()
        if self._rows:
            await asyncio.gather(*(self._run(row, refresh=refresh) for row in self._rows))
        return 0

    async def _run(self, row: WaitingRoomRow, *, refresh: bool) -> None:
        """Run one waiting room; its failure does not stop the others."""
        try:
            if refresh:
                await self._controller.apply(row)
            result = await self._controller.admit(row)
            if self._is_news(row.event_id, result):
                await self._controller.publish(row, result)
        except Unavailable as error:
            log.warning("waiting room of %s: the round failed: %s", row.event_id, error)

    def _is_news(self, event_id: UUID, result: AdmissionResult) -> bool:
        tick = result.tick
        now = time.monotonic()
        news = (tick.generation, tick.admitted, tick.gone, tick.drawn_ms > 0, tick.selling)
        published_at, published = self._published.get(event_id, (-_QUIET_SECONDS, ()))
        if published == news and not result.changed and now - published_at < _QUIET_SECONDS:
            return False
        self._published[event_id] = (now, news)
        return True
