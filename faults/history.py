"""The history of a run: every call with its times and outcome, one JSON line each."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TextIO


class Outcome(StrEnum):
    """OK: it happened. FAILED: it was refused. UNKNOWN: the response was lost."""

    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Call:
    """One call. Times are Unix seconds; `order` is the one in the response, else the one in the request."""

    actor: str
    operation: str
    started: float
    key: str | None = None
    order: str | None = None
    ended: float = 0.0
    outcome: Outcome = Outcome.UNKNOWN
    code: str | None = None
    """Of the refusal, or the kind of unknown outcome."""
    status: str | None = None
    tickets: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    """Of the tickets, in their order."""
    expires: float | None = None
    """When the hold expires, according to the response."""
    detail: dict[str, Any] = field(default_factory=dict)


class History:
    """All calls, in memory and in a file."""

    def __init__(self, path: Path | None = None) -> None:
        self.calls: list[Call] = []
        self.file: TextIO | None = path.open("w") if path is not None else None

    def record(self, call: Call) -> Call:
        """Records a call that has ended."""
        call.ended = call.ended or time.time()
        self.calls.append(call)
        self._write(asdict(call))
        return call

    def note(self, text: str, **more: Any) -> None:
        """Records another fact, such as the start or end of a fault."""
        self._write({"note": text, "at": time.time(), **more})

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
