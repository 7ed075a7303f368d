"""Keeps parts running: a part that dies is restarted on its data, with a backoff."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from devservices.part import Part, PartError

POLL_SECONDS = 0.1
STEADY_SECONDS = 30.0
LONGEST_PAUSE_SECONDS = 10.0
MEMORY_CHECK_SECONDS = 10.0

Say = Callable[[str], None]


@dataclass
class Watched:
    """A part with its failures and launch times."""

    part: Part
    failures: int = 0
    launched_at: float = 0.0
    launch_at: float | None = None

    def record_death(self, now: float) -> None:
        """Sets the time of the next launch: at once for the first failure, then with a growing delay."""
        steady = now - self.launched_at > STEADY_SECONDS
        self.failures = 1 if steady else self.failures + 1
        pause = 0.0 if self.failures == 1 else 0.25 * 2.0 ** (self.failures - 2)
        self.launch_at = now + min(pause, LONGEST_PAUSE_SECONDS)


class Supervisor:
    """Starts parts in order, restarts those that die, stops all in reverse order."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self.watched: list[Watched] = []
        self.memory_checked_at = 0.0

    def start(self, parts: Sequence[Part]) -> None:
        """Launches these together and waits until all are ready.

        Raises:
            PartError: a part did not become ready; the message names it.
        """
        for part in parts:
            part.launch()
            self.watched.append(Watched(part, launched_at=time.monotonic()))
        for part in parts:
            part.wait_ready()

    def watch(self) -> None:
        """Restarts parts that die, until a signal raises an exception."""
        while True:
            self.check_once(time.monotonic())
            time.sleep(POLL_SECONDS)

    def check_once(self, now: float) -> None:
        """One round: records deaths and launches due parts."""
        for watched in self.watched:
            if watched.launch_at is None and not watched.part.is_alive():
                watched.record_death(now)
                self.say(f"{watched.part.name} {watched.part.how_it_ended()}; restarting it")
            if watched.launch_at is not None and now >= watched.launch_at:
                self.relaunch(watched, now)
        if now - self.memory_checked_at > MEMORY_CHECK_SECONDS:
            self.memory_checked_at = now
            self.restart_overgrown(now)

    def restart_overgrown(self, now: float) -> None:
        """Stops a part that keeps unused memory; the next round restarts it."""
        for watched in self.watched:
            is_steady = now - watched.launched_at > STEADY_SECONDS
            if is_steady and watched.part.is_alive() and watched.part.is_overgrown():
                self.say(f"{watched.part.name} keeps unused memory; restarting it")
                watched.part.request_stop()

    def relaunch(self, watched: Watched, now: float) -> None:
        """Launches again; a failed launch counts as another failure."""
        watched.launch_at = None
        watched.launched_at = now
        try:
            watched.part.launch()
        except (PartError, OSError) as fault:
            watched.record_death(now)
            self.say(f"{watched.part.name} does not start: {fault}")

    def stop(self) -> None:
        """Stops everything in reverse order, so that no part loses one that it still needs.

        Parts of one stage are signalled together and then awaited.
        """
        newest_first = [watched.part for watched in reversed(self.watched)]
        for _, group in groupby(newest_first, key=lambda part: part.stop_stage):
            stop_together(list(group))
        self.watched.clear()


def stop_together(parts: Sequence[Part]) -> None:
    """Signals all, then waits for each."""
    for part in parts:
        part.request_stop()
    for part in parts:
        part.stop()
