"""The figures of `/metrics` that are read at a scrape; a store without an answer costs no other figure."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from db.queries.figures import Figures, read_figures
from domain.errors import BoxofficeError
from endpoints.health import Readiness
from kit.cache import Cache
from pubsub.process_metrics import ProcessMetrics
from services.context import ServiceContext, reading
from services.waiting_room.waiting_rooms import WaitingRooms
from telemetry.common_meters import CommonMeters
from telemetry.exposition import text_of_all
from telemetry.instruments import Instruments
from telemetry.transport_meters import TransportMeters
from telemetry.waiting_room_meters import WaitingRoomMeters

log = logging.getLogger("boxoffice.metrics")

_LOOK_SECONDS = 1.5
# Longer than a probe may take, so that a hanging store is shown as down.
_PARTS_SECONDS = 2.5
# The database is read at most this often.
_FIGURES_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources of figures that no process counts for itself."""

    context: ServiceContext
    waiting_rooms: WaitingRooms
    readiness: Readiness
    streams: TransportMeters
    processes: ProcessMetrics


class Scrape:
    """Answers /metrics: the figures of this process, of the other processes, and of the installation."""

    def __init__(self, instruments: Instruments, sources: Sources) -> None:
        self._instruments = instruments
        self._sources = sources
        self._common = CommonMeters(instruments.common)
        self._waiting_room_meters = WaitingRoomMeters(instruments.common)
        self._figures: Cache[str, Figures] = Cache(max_entries=1, ttl_seconds=_FIGURES_SECONDS)

    async def __call__(self) -> bytes:
        """Return Prometheus's text, within three seconds."""
        others, _ = await asyncio.gather(self._others(), self._refresh())
        self._common.show_processes(1 + len(others))
        own = self._instruments
        # It takes some milliseconds a process, so it runs in a thread.
        return await asyncio.to_thread(text_of_all, own.own, own.name, others, own.common)

    async def _refresh(self) -> None:
        await asyncio.gather(
            _in_time(self._show_figures),
            _in_time(self._show_parts, _PARTS_SECONDS),
            _in_time(self._show_waiting_rooms),
            _in_time(self._sources.streams.refresh),
        )

    async def _others(self) -> dict[str, bytes]:
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                return await self._sources.processes.others()
        except TimeoutError:
            return {}

    async def _show_figures(self) -> None:
        self._common.show(None)
        self._common.show(await self._figures.get_or_load("database", self._read))

    async def _read(self, _: str) -> Figures:
        context = self._sources.context
        return await reading(read_figures(context.database, context.now()))

    async def _show_parts(self) -> None:
        self._common.show_parts(await self._sources.readiness.states())

    async def _show_waiting_rooms(self) -> None:
        self._waiting_room_meters.show({})
        self._waiting_room_meters.show(await self._sources.waiting_rooms.counters())


async def _in_time(show: Callable[[], Awaitable[None]], seconds: float = _LOOK_SECONDS) -> None:
    try:
        async with asyncio.timeout(seconds):
            await show()
    except (BoxofficeError, TimeoutError) as error:
        log.info("a figure is missing: %s", type(error).__name__)
    except Exception:
        log.exception("a figure is missing by a fault of ours")
