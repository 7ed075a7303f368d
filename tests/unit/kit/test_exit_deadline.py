"""A stop that hangs ends by its deadline, and says what it was waiting for."""

import asyncio
import signal
import subprocess
import sys
import time

import pytest

from kit.exit_deadline import EXIT_STATUS, ExitDeadline

_WORKER = """
import asyncio, sys, time
from kit.exit_deadline import ExitDeadline
from workers.loops import Loop
from workers.main import run_loops

async def stubborn():
    print("ready", flush=True)
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pass

async def blocking():
    print("ready", flush=True)
    time.sleep(60)

asyncio.run(run_loops([Loop("job", {job}, 1.0)], ExitDeadline({seconds})))
"""


def ended(job: str, seconds: float, signals: int) -> tuple[int, float, str]:
    """The exit status, the seconds from the first signal to the end, and the log of a worker process."""
    program = _WORKER.replace("{job}", job).replace("{seconds}", str(seconds))
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    began = time.monotonic()
    for _ in range(signals):
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
    try:
        _, log = process.communicate(timeout=20)
    finally:
        process.kill()
    return process.returncode, time.monotonic() - began, log


@pytest.mark.parametrize("job", ["stubborn", "blocking"])
def test_the_process_ends_when_a_loop_hears_no_cancellation(job: str) -> None:
    status, seconds, log = ended(job, 1.0, signals=1)

    assert (status, seconds < 10) == (EXIT_STATUS, True)
    assert job in log


def test_a_second_signal_ends_the_process_at_once() -> None:
    status, seconds, log = ended("stubborn", 600.0, signals=2)

    assert (status, seconds < 10) == (EXIT_STATUS, True)
    assert "a second signal came" in log


async def test_the_clock_starts_with_the_first_signal_and_runs_out_once() -> None:
    ends: list[int] = []
    deadline = ExitDeadline(0.1, ends.append)

    deadline.arm(asyncio.get_running_loop())
    deadline.arm(asyncio.get_running_loop())
    await asyncio.sleep(0.4)

    assert ends == [EXIT_STATUS]
