"""What was encoded for one event, shared by all its receivers and bounded in memory."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

MOST_ENTRIES = 64
MOST_BYTES = 4_000_000


class SharedAnswers(dict[Hashable, Any]):
    """The answers to one event by what was asked; when they would be too many or too large, all are dropped.

    Receivers with the same question come again and again, so that their answer is soon back; a question
    that is asked once is not kept for longer than the bound allows.
    """

    __slots__ = ("_bytes",)

    def __init__(self) -> None:
        super().__init__()
        self._bytes = 0

    def keep(self, asked: Hashable, answer: Any, size_bytes: int) -> None:
        """Keep an answer for the next receiver who asks the same."""
        if len(self) >= MOST_ENTRIES or self._bytes + size_bytes > MOST_BYTES:
            self.clear()
            self._bytes = 0
        if size_bytes <= MOST_BYTES:
            self[asked] = answer
            self._bytes += size_bytes
