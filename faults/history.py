"""The history: every call that was made, how it ended, and when. One JSON line each."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TextIO


class Outcome(StrEnum):
    """OK: it happened. FAILED: it did not, by a typed refusal. UNKNOWN: nobody knows."""

    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Call:
    """One call. Times are Unix seconds; `order` is what the answer named, or what was asked about."""

    actor: str
    operation: str
    started: float
    key: str | None = None
    order: str | None = None
    ended: float = 0.0
    outcome: Outcome = Outcome.UNKNOWN
    code: str | None = None
    """Of a refusal, or what an unknown outcome looked like."""
    status: str | None = None
    tickets: tuple[str, ...] = ()
    expires: float | None = None
    """When the hold lapses, as the answer said."""
    detail: dict[str, Any] = field(default_factory=dict)


class History:
    """Every call so far, in memory and in a file."""

    def __init__(self, path: Path | None = None) -> None:
        self.calls: list[Call] = []
        self.file: TextIO | None = path.open("w") if path is not None else None

    def record(self, call: Call) -> Call:
        """Note a call that has ended."""
        call.ended = call.ended or time.time()
        self.calls.append(call)
        self._write(asdict(call))
        return call

    def note(self, what: str, **more: Any) -> None:
        """Note something that is no call: a fault's beginning or end."""
        self._write({"note": what, "at": time.time(), **more})

    def of(self, operation: str) -> Iterator[Call]:
        """The calls of one operation."""
        return (call for call in self.calls if call.operation == operation)

    def close(self) -> None:
        """Close the file."""
        if self.file is not None:
            self.file.close()
            self.file = None

    def _write(self, line: dict[str, Any]) -> None:
        if self.file is not None:
            self.file.write(json.dumps(line) + "\n")
            self.file.flush()
