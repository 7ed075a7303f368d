"""The steps of `make setup`, as they are shown."""

import io
import re
import sys

import pytest

from tools import step

SLEEP = [sys.executable, "-c", "import time; time.sleep(0.3)"]


class Terminal(io.StringIO):
    """A stream that calls itself a terminal."""

    def isatty(self) -> bool:
        return True


def test_label_and_seconds_are_shown_when_the_command_succeeds() -> None:
    out = io.StringIO()

    status = step.run("reading nothing", [sys.executable, "-c", "print('not shown')"], out)

    assert status == 0
    assert out.getvalue().startswith("reading nothing ...\nreading nothing: done in ")


def test_output_and_status_are_shown_when_the_command_fails() -> None:
    out = io.StringIO()

    status = step.run("failing", [sys.executable, "-c", "import sys; print('because'); sys.exit(3)"], out)

    assert status == 3
    assert out.getvalue().splitlines() == [
        "failing ...",
        "failing: failed after 0 s",
        "because",
        "failing ended with exit status 3.",
    ]


def test_lines_are_repeated_when_a_pipe_waits_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "LINE_SECONDS", 0.05)
    out = io.StringIO()

    step.run("waiting", SLEEP, out)

    assert out.getvalue().count("waiting ... 0 s\n") >= 2


def test_one_line_is_rewritten_when_a_terminal_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "TICK_SECONDS", 0.05)
    out = Terminal()

    step.run("waiting", SLEEP, out)

    assert "\rwaiting ... 0 s" in out.getvalue()
    assert re.search(r"\rwaiting: done in \d+ s\n$", out.getvalue())
    assert out.getvalue().count("\n") == 1
