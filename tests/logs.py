"""The log of this process, for tests."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from commands.logs import name_order
from kit.log_lines import LogFormat, write_logs


class Logged(io.StringIO):
    """The logged lines."""

    def lines(self) -> list[dict[str, Any]]:
        """The fields of each line, in JSON format."""
        return [json.loads(line) for line in self.getvalue().splitlines()]

    def line(self, event: str) -> dict[str, Any]:
        """The only line of an event."""
        (found,) = [line for line in self.lines() if line["event"] == event]
        return found


@contextmanager
def logged(chosen: LogFormat = "json", level: str = "INFO") -> Iterator[Logged]:
    """Captures the log within the block."""
    root = logging.getLogger()
    handlers, before = list(root.handlers), root.level
    stream = Logged()
    write_logs(level, chosen, stream=stream, enrich=name_order)
    try:
        yield stream
    finally:
        root.handlers[:] = handlers
        root.setLevel(before)
