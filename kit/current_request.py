"""What those who work for a request need to know of it: how long it may still take, whether it is in hand.

Set at its door; asked by whatever waits on its behalf, however deep. Work of nobody's request knows none.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf


class CurrentRequest:
    """One request: the moment at which it has become too old, and who counts it."""

    __slots__ = ("count", "deadline")

    def __init__(self, seconds: float, count: Callable[[int], None]) -> None:
        self.deadline = time.monotonic() + seconds
        self.count = count

    def let_go(self) -> None:
        """No deadline and no count any more: it has become a stream, or has been answered."""
        self.deadline = inf
        self.count = _nobody


def _nobody(_change: int) -> None:
    """Count nothing."""


_current: ContextVar[CurrentRequest | None] = ContextVar("current_request", default=None)


@contextmanager
def request_within(seconds: float, count: Callable[[int], None] = _nobody) -> Iterator[CurrentRequest]:
    """The body, and every task that it starts, works for a request of so many seconds.

    `count` is called with -1 and 1 around each wait for an outside service.
    """
    request = CurrentRequest(seconds, count)
    token = _current.set(request)
    try:
        yield request
    finally:
        request.let_go()
        _current.reset(token)


def seconds_left(most: float) -> float:
    """How long to wait for something on behalf of the current request: `most` at most.

    Raises:
        TimeoutError: its deadline has passed.
    """
    request = _current.get()
    if request is None:
        return most
    left = request.deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the request is older than its deadline")
    return min(most, left)


@contextmanager
def waiting_elsewhere() -> Iterator[None]:
    """The body waits for an outside service: until it has answered, nothing of ours is in hand."""
    request = _current.get()
    if request is None:
        yield
        return
    request.count(-1)
    try:
        yield
    finally:
        request.count(1)  # no-op where the request has ended meanwhile
