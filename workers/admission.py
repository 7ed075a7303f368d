"""The loop that lets people in: a few times a second, every line that is switched on."""

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
# A line in which nothing happens is told of this often, so that a lost message does no lasting harm.
_QUIET_SECONDS = 2.0


def admission_loop(controller: AdmissionController) -> Loop:
    """The loop, for the worker."""
    return Loop("admission", AdmissionRound(controller), TICK_SECONDS)


class AdmissionRound:
    """One tick of every line. Two workers may do it at once: the scripts see to the cap and the pace."""

    def __init__(self, controller: AdmissionController) -> None:
        self._controller = controller
        self._rows: list[WaitingRoomRow] = []
        self._refreshed_at = -_REFRESH_SECONDS
        self._told: dict[UUID, tuple[float, tuple[object, ...]]] = {}

    async def __call__(self) -> int:
        """Returns 0: the pace is the clock's, not the work's."""
        refresh = time.monotonic() - self._refreshed_at >= _REFRESH_SECONDS
        if refresh:
            self._rows = await self._controller.rows()
            self._refreshed_at = time.monotonic()
        if self._rows:
            await asyncio.gather(*(self._keep(row, refresh=refresh) for row in self._rows))
        return 0

    async def _keep(self, row: WaitingRoomRow, *, refresh: bool) -> None:
        """One line's fault is no other's."""
        try:
            if refresh:
                await self._controller.apply(row)
            result = await self._controller.admit(row)
            if self._is_news(row.event_id, result):
                await self._controller.announce(row, result)
        except Unavailable as error:
            log.warning("the line of %s stands still: %s", row.event_id, error)

    def _is_news(self, event_id: UUID, result: AdmissionResult) -> bool:
        tick = result.tick
        now = time.monotonic()
        news = (tick.generation, tick.admitted, tick.gone, tick.drawn_ms > 0, tick.selling)
        told_at, told = self._told.get(event_id, (-_QUIET_SECONDS, ()))
        if told == news and not result.changed and now - told_at < _QUIET_SECONDS:
            return False
        self._told[event_id] = (now, news)
        return True
