"""The composition root of a worker process: every loop, with what it needs."""

import asyncio
from functools import partial

from db.session import Database
from kit.exit_deadline import ExitDeadline
from kit.tasks import stopped, unending
from parts import build_parts, check_redis
from pubsub.heartbeat import Heartbeat
from settings import Settings
from workers.admission import admission_loop
from workers.indexing import indexing_loops, search_engine
from workers.loops import Loop
from workers.main import run_loops
from workers.ordering import ordering_loops
from workers.retention import retention_loop


async def run_worker(settings: Settings) -> None:
    """The worker process: every loop, until SIGTERM or SIGINT.

    Raises:
        SettingsError: Redis refuses its address.
    """
    await check_redis(settings)
    parts = build_parts(settings, "worker")
    instruments = parts.instruments
    await parts.channels.open()
    loops = [
        *ordering_loops(parts.context),
        admission_loop(parts.admission_controller),
        retention_loop(parts.database, settings),
        Loop("heartbeat", Heartbeat(parts.runner).beat, 2.0),
        *indexing_loops(parts.database, search_engine(settings), instruments.name),
    ]
    for loop in loops:
        loop.watch = instruments.loops.round
        instruments.loops.watch(loop.name, partial(getattr, loop, "last_finished"))
    beside = [
        asyncio.create_task(unending(partial(_listen, parts.database, loops), "listening to the outbox")),
        asyncio.create_task(unending(parts.process_metrics().keep_publishing, "publishing metrics")),
        asyncio.create_task(unending(instruments.process.measure_lag, "measuring the loop's lag")),
    ]
    try:
        await run_loops(loops, ExitDeadline(settings.stop_seconds))
    finally:
        await asyncio.gather(*map(stopped, beside))
        await parts.close(grace_seconds=0.2)


async def _listen(database: Database, loops: list[Loop]) -> None:
    """Wake the outbox loop after each commit that wrote to the outbox."""
    outbox = next(loop for loop in loops if loop.name == "outbox")
    await database.listen("boxoffice_outbox", outbox.wake.set)
