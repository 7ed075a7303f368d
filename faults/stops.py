"""Stops of a process under load and faults: each has to end before its deadline."""

import asyncio
import contextlib
import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from faults.campaign import Plan, Progress, under_load
from faults.catalogue import FAULTS
from faults.history import History
from faults.installation import Installation, start_installation
from faults.target import Target

STOPPABLE = ("worker", "api-0", "api-1")
# What a stop has to bear: dependencies that are slow, silent or gone in the middle of it.
AROUND_STOPS = (
    "postgres-silent", "postgres-cut", "postgres-unreachable", "redis-silent", "redis-cut",
    "redis-unreachable", "stripe-slow", "stripe-silent", "freeze-postgres", "freeze-redis",
)  # fmt: skip
DEADLINE_SECONDS = 15.0  # of the installation under test, which does not wait for balancers
_SLACK_SECONDS = 2.0
_START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop: of which part, beside which fault ("" for none), and the seconds that it took."""

    part: str
    fault: str
    seconds: float

    @property
    def is_late(self) -> bool:
        """Whether the process was still there after the deadline."""
        return self.seconds > DEADLINE_SECONDS + _SLACK_SECONDS


async def measure(
    directory: Path, count: int, progress: Progress, log: Callable[[str], None], seed: int
) -> list[Stop]:
    """Stop processes one after another while buyers buy; every other stop has a fault around it."""
    rng, stops = random.Random(seed), list[Stop]()
    plan = Plan(seed, 0.0, (), buyers=6, watchers=2, waiting=4)
    history = History(directory / "history.jsonl")
    try:
        async with (
            start_installation(directory / "data", rng, workers=2, log=log) as installation,
            under_load(plan, installation, history, rng) as campaign,
        ):
            for number in range(count):
                fault = rng.choice(AROUND_STOPS) if number % 2 else ""
                stop = await _stop(campaign.target, STOPPABLE[number % len(STOPPABLE)], fault, rng)
                stops.append(stop)
                if stop.is_late:
                    log(f"{stop.part} had not ended after {stop.seconds:.1f} s ({fault or 'no fault'})")
                progress(number + 1, count, "stops")
    finally:
        history.close()
    return stops


async def _stop(target: Target, part: str, fault: str, rng: random.Random) -> Stop:
    pid = await _running(target.installation, part)
    async with contextlib.AsyncExitStack() as stack:
        if fault:
            await stack.enter_async_context(FAULTS[fault].inject(target))
        await asyncio.sleep(rng.random() / 2)
        began = time.monotonic()
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        await asyncio.to_thread(psutil.wait_procs, _process(pid), DEADLINE_SECONDS + 2 * _SLACK_SECONDS)
        seconds = time.monotonic() - began
    return Stop(part, fault, seconds)


def _process(pid: int) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return [psutil.Process(pid)]
    return []


async def _running(installation: Installation, part: str) -> int:
    """The pid of a part that its supervisor may be starting again."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(LookupError, psutil.NoSuchProcess):
            process = psutil.Process(installation.pid(part))
            # It hears SIGTERM from its first second on; before that the signal would just end it.
            if time.time() - process.create_time() > 3.0:
                return int(process.pid)
        await asyncio.sleep(0.1)
    raise TimeoutError(f"{part} was not started again")
