"""Keeps parts running: what dies is started again on its data, in its own time."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from devservices.part import Part, PartError

POLL_SECONDS = 0.1
STEADY_SECONDS = 30.0
LONGEST_PAUSE_SECONDS = 10.0
WEIGHING_SECONDS = 10.0

Say = Callable[[str], None]


@dataclass
class Watched:
    """A part and how it has been doing."""

    part: Part
    failures: int = 0
    launched_at: float = 0.0
    launch_at: float | None = None

    def note_death(self, now: float) -> None:
        """Sets the time of the next launch: at once the first time, later each time after."""
        steady = now - self.launched_at > STEADY_SECONDS
        self.failures = 1 if steady else self.failures + 1
        pause = 0.0 if self.failures == 1 else 0.25 * 2.0 ** (self.failures - 2)
        self.launch_at = now + min(pause, LONGEST_PAUSE_SECONDS)


class Supervisor:
    """Starts parts in order, restarts the dead, stops all in the opposite order."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self.watched: list[Watched] = []
        self.weighed_at = 0.0

    def start(self, parts: Sequence[Part]) -> None:
        """Launches these together and waits until all are ready.

        Raises:
            PartError: naming the one that did not come up.
        """
        for part in parts:
            part.launch()
            self.watched.append(Watched(part, launched_at=time.monotonic()))
        for part in parts:
            part.wait_ready()

    def watch(self) -> None:
        """Restarts what dies, for ever; a signal's exception is the way out."""
        while True:
            self.look_once(time.monotonic())
            time.sleep(POLL_SECONDS)

    def look_once(self, now: float) -> None:
        """One round: notes deaths, launches what is due."""
        for watched in self.watched:
            if watched.launch_at is None and not watched.part.is_alive():
                watched.note_death(now)
                self.say(f"{watched.part.name} {watched.part.how_it_ended()}; starting it again")
            if watched.launch_at is not None and now >= watched.launch_at:
                self.relaunch(watched, now)
        if now - self.weighed_at > WEIGHING_SECONDS:
            self.weighed_at = now
            self.renew_overgrown(now)

    def renew_overgrown(self, now: float) -> None:
        """Stops a part that keeps memory it no longer needs; the next round starts it afresh."""
        for watched in self.watched:
            is_steady = now - watched.launched_at > STEADY_SECONDS
            if is_steady and watched.part.is_alive() and watched.part.is_overgrown():
                self.say(f"{watched.part.name} keeps memory it does not use; starting it afresh")
                watched.part.request_stop()

    def relaunch(self, watched: Watched, now: float) -> None:
        """Launches once more; a launch that fails counts as one more death."""
        watched.launch_at = None
        watched.launched_at = now
        try:
            watched.part.launch()
        except (PartError, OSError) as fault:
            watched.note_death(now)
            self.say(f"{watched.part.name} does not start: {fault}")

    def stop(self) -> None:
        """Stops everything, the last started first: no part loses one that it still needs.

        Our own processes, which come last, are asked together and then waited for.
        """
        newest_first = [watched.part for watched in reversed(self.watched)]
        for _, group in groupby(newest_first, key=lambda part: part.stop_stage):
            stop_together(list(group))
        self.watched.clear()


def stop_together(parts: Sequence[Part]) -> None:
    """Asks all, then waits for each."""
    for part in parts:
        part.request_stop()
    for part in parts:
        part.stop()
