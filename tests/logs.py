"""What this process logs, as a test reads it."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from commands.logs import name_order
from kit.log_lines import LogFormat, write_logs


class Logged(io.StringIO):
    """The lines so far."""

    def lines(self) -> list[dict[str, Any]]:
        """Each line's facts, where they are JSON."""
        return [json.loads(line) for line in self.getvalue().splitlines()]

    def line(self, event: str) -> dict[str, Any]:
        """The only line of an event."""
        (found,) = [line for line in self.lines() if line["event"] == event]
        return found


@contextmanager
def logged(chosen: LogFormat = "json", level: str = "INFO") -> Iterator[Logged]:
    """Everything that is logged within the block; afterwards all is as it was."""
    root = logging.getLogger()
    handlers, before = list(root.handlers), root.level
    stream = Logged()
    write_logs(level, chosen, stream=stream, enrich=name_order)
    try:
        yield stream
    finally:
        root.handlers[:] = handlers
        root.setLevel(before)
