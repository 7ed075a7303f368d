"""A fair queue: a few slots, shared out evenly between flows, with a bound for each group of flows."""

import asyncio
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field


class QueueFull(Exception):
    """The group has too many waiting already."""


class QueueTimedOut(Exception):
    """No slot came in time."""


@dataclass(eq=False, slots=True)
class _Waiter:
    """A call that waits; `turn` orders it among all that wait (start-time fair queueing)."""

    turn: float
    flow: Hashable
    group: str
    ready: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class FairQueue:
    """Slots for calls to something scarce, such as a search engine.

    A flow's second call waits behind the first of every other flow, so many calls of one flow delay another
    flow's call by what runs at the moment. A group (such as a network with many flows) holds a part of the
    slots at most; the group "" has no such bound.

    Args:
        slots: The calls that run at a time.
        slots_of_group: The calls of one group that run at a time.
        waiting_of_group: The calls of one group, or of one flow without a group, that wait at a time.
        wait_seconds: The longest wait for a slot.
    """

    def __init__(
        self, *, slots: int, slots_of_group: int, waiting_of_group: int, wait_seconds: float
    ) -> None:
        self._slots = slots
        self._slots_of_group = slots_of_group
        self._waiting_of_group = waiting_of_group
        self._wait_seconds = wait_seconds
        self._running: Counter[str] = Counter()
        self._waiting: list[_Waiter] = []
        self._turn = 0.0
        self._last_turn_of: dict[Hashable, float] = {}

    async def acquire(self, flow: Hashable, group: str = "") -> None:
        """Wait for a slot; every call that returns needs one `release`.

        Raises:
            QueueFull: The group has too many waiting already.
            QueueTimedOut: No slot came in time.
        """
        if self._waits_too_much(flow, group):
            raise QueueFull
        turn = max(self._turn, self._last_turn_of.get(flow, 0.0)) + 1
        self._last_turn_of[flow] = turn
        waiter = _Waiter(turn, flow, group)
        self._waiting.append(waiter)
        self._start_next()
        try:
            async with asyncio.timeout(self._wait_seconds):
                await waiter.ready
        except BaseException as error:
            self._withdraw(waiter)
            if isinstance(error, TimeoutError):
                raise QueueTimedOut from None
            raise

    def release(self, group: str = "") -> None:
        """Give a slot back."""
        self._running[group] -= 1
        if not self._running[group]:
            del self._running[group]
        self._start_next()

    def _waits_too_much(self, flow: Hashable, group: str) -> bool:
        same = (each for each in self._waiting if (each.group == group if group else each.flow == flow))
        return sum(1 for _ in same) >= self._waiting_of_group

    def _start_next(self) -> None:
        while self._running.total() < self._slots:
            able = [each for each in self._waiting if self._may_run(each)]
            if not able:
                break
            first = min(able, key=lambda each: each.turn)
            self._waiting.remove(first)
            self._turn = max(self._turn, first.turn)
            self._running[first.group] += 1
            first.ready.set_result(None)
        self._forget_idle_flows()

    def _may_run(self, waiter: _Waiter) -> bool:
        if waiter.ready.done():  # its wait was cut short
            return False
        return not waiter.group or self._running[waiter.group] < self._slots_of_group

    def _forget_idle_flows(self) -> None:
        if len(self._last_turn_of) > 2 * len(self._waiting) + self._slots:
            self._last_turn_of = {
                flow: turn for flow, turn in self._last_turn_of.items() if turn > self._turn
            }

    def _withdraw(self, waiter: _Waiter) -> None:
        """End a wait that was cut short; a slot that came at the same time goes on to the next."""
        if waiter in self._waiting:
            self._waiting.remove(waiter)
        else:
            self.release(waiter.group)
