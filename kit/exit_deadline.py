"""A deadline for the end of a process: a stop that hangs ends itself, and says what it was waiting for."""

import asyncio
import logging
import os
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType

log = logging.getLogger("boxoffice.stop")

EXIT_STATUS = 70  # EX_SOFTWARE: a fault of the program, not of its caller
_FRAMES_SHOWN = 3


class ExitDeadline:
    """Ends the process `seconds` after `arm`, whatever the event loop does meanwhile.

    It runs in a thread of its own, because a loop that is blocked runs no timer. Arming it again changes
    nothing.
    """

    def __init__(self, seconds: float, leave: Callable[[int], object] = os._exit) -> None:
        self.seconds = seconds
        self._leave = leave
        self._timer: threading.Timer | None = None

    @property
    def is_armed(self) -> bool:
        """Whether the clock runs."""
        return self._timer is not None

    def arm(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the clock of a loop; called on the loop's thread, from a signal's handler too."""
        if self._timer is None:
            thread = threading.get_ident()
            self._timer = threading.Timer(self.seconds, self._expire, (loop, thread))
            self._timer.daemon = True
            self._timer.start()

    def _expire(self, loop: asyncio.AbstractEventLoop, thread: int) -> None:
        reason = f"the stop took longer than {self.seconds:g} s"
        leave_now(loop, reason, frame=sys._current_frames().get(thread), leave=self._leave)


def leave_now(
    loop: asyncio.AbstractEventLoop,
    reason: str,
    *,
    frame: FrameType | None = None,
    leave: Callable[[int], object] = os._exit,
) -> None:
    """Log what every task of the loop waits for, and end the process with status 70.

    `frame` is where the loop's thread is at work, if it is another thread's.
    """
    log.error("ending at once: %s; still waiting: %s", reason, "; ".join(_waiting(loop)) or "nothing")
    if frame is not None:
        log.error("the event loop's thread was at %s", _places(traceback.extract_stack(frame)))
    for handler in logging.getLogger().handlers:
        handler.flush()
    leave(EXIT_STATUS)


def _waiting(loop: asyncio.AbstractEventLoop) -> list[str]:
    return sorted(f"{task.get_name()} at {_places(_stack_of(task))}" for task in asyncio.all_tasks(loop))


def _stack_of(task: asyncio.Task[object]) -> list[traceback.FrameSummary]:
    """The places at which a task waits, outermost first, through the coroutines that it awaits."""
    found: list[traceback.FrameSummary] = []
    awaited: object = task.get_coro()
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "ag_frame", None)
        if frame is not None:
            code = frame.f_code
            found.append(traceback.FrameSummary(code.co_filename, frame.f_lineno, code.co_name))
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "ag_await", None)
    return found


def _places(stack: list[traceback.FrameSummary] | traceback.StackSummary) -> str:
    shown = stack[-_FRAMES_SHOWN:]
    return " > ".join(f"{Path(each.filename).name}:{each.lineno} {each.name}" for each in shown)
