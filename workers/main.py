"""The worker process: runs every loop until a signal stops it."""

import asyncio
import logging
import signal

from workers.loops import Loop

log = logging.getLogger("boxoffice.worker")


async def run_loops(loops: list[Loop]) -> None:
    """Run loops side by side until SIGTERM or SIGINT; each ends between two awaits of its own."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    tasks = [asyncio.create_task(each.run(), name=each.name) for each in loops]
    await stop.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    log.info("the worker has stopped")
