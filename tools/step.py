"""One step of `make setup`: runs a command and shows what it does and for how many seconds.

    python tools/step.py LABEL COMMAND [ARGUMENT ...]

It runs before anything is installed, so it uses the standard library alone. A terminal shows the seconds as
they pass; a pipe gets one line at the start, one every 15 seconds and one at the end. The command's output is
shown only when it fails; the exit status is the command's.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import IO, TextIO

TICK_SECONDS = 1.0
LINE_SECONDS = 15.0


def run(label: str, command: Sequence[str], out: TextIO) -> int:
    """Runs the command and returns its exit status."""
    began = time.monotonic()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as printed:
        process = subprocess.Popen(command, stdout=printed, stderr=subprocess.STDOUT)
        watch(label, process, began, out)
        if process.returncode:
            show_failure(label, process.returncode, printed, out)
        return process.returncode


def watch(label: str, process: "subprocess.Popen[bytes]", began: float, out: TextIO) -> None:
    """Shows the seconds until the process ends."""
    terminal = out.isatty()
    say(out, f"{label} ..." if not terminal else "")
    while True:
        try:
            process.wait(TICK_SECONDS if terminal else LINE_SECONDS)
        except subprocess.TimeoutExpired:
            show(out, label, seconds_since(began), terminal)
            continue
        word = "failed after" if process.returncode else "done in"
        say(out, f"{chr(13) if terminal else ''}{label}: {word} {seconds_since(began)} s")
        return


def show(out: TextIO, label: str, seconds: int, terminal: bool) -> None:
    if terminal:
        out.write(f"\r{label} ... {seconds} s")
        out.flush()
    else:
        say(out, f"{label} ... {seconds} s")


def show_failure(label: str, status: int, printed: IO[str], out: TextIO) -> None:
    """The command's own words, which explain the failure best."""
    printed.seek(0)
    say(out, printed.read().rstrip())
    say(out, f"{label} ended with exit status {status}.")


def seconds_since(began: float) -> int:
    return round(time.monotonic() - began)


def say(out: TextIO, line: str) -> None:
    if line:
        out.write(f"{line}\n")
        out.flush()


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], sys.argv[2:], sys.stdout))
