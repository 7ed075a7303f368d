"""The worker process: runs every loop until a signal stops it."""

import asyncio
import logging
import signal
from types import FrameType

from kit.exit_deadline import ExitDeadline, leave_now
from kit.tasks import stopped
from workers.loops import Loop

log = logging.getLogger("boxoffice.worker")


async def run_loops(loops: list[Loop], deadline: ExitDeadline) -> None:
    """Run loops side by side until SIGTERM or SIGINT, then end each between two awaits of its own.

    The first signal arms `deadline`; a second one ends the process at once.
    """
    stop = asyncio.Event()
    running = asyncio.get_running_loop()

    def signalled(_number: int, _frame: FrameType | None) -> None:
        if deadline.is_armed:
            leave_now(running, "a second signal came")
        deadline.arm(running)
        running.call_soon_threadsafe(stop.set)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signalled)  # not the loop's own handlers: a blocked loop runs none
    tasks = [asyncio.create_task(each.run(), name=each.name) for each in loops]
    await stop.wait()
    await asyncio.gather(*map(stopped, tasks))
    await asyncio.gather(*(each.at_end() for each in loops), return_exceptions=True)
    log.info("the worker has stopped")
