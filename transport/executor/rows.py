"""What the attributes of rows that never change say, written once a row and selection."""

from __future__ import annotations

from typing import Any
from weakref import WeakValueDictionary

MOST_VALUES = 200_000
"""Of all selections together; beyond that every row is written anew."""


class Written(dict[int, tuple[Any, dict[str, Any]]]):
    """By a row's identity: the row, which is held so that no other can have it, and its values."""

    __slots__ = ("__weakref__",)


class WrittenRows:
    """The rows that all selections of a process keep as they were written, bounded together."""

    def __init__(self, kinds: frozenset[type]) -> None:
        self.kinds = kinds
        self._selections: WeakValueDictionary[int, Written] = WeakValueDictionary()
        self._values = 0

    def of_selection(self) -> Written:
        """Where one selection keeps its rows."""
        written = Written()
        self._selections[id(written)] = written
        return written

    def keep(self, written: Written, row: object, values: dict[str, Any]) -> None:
        """Keep a row's values; where there are too many, those of all others are forgotten."""
        self._values += len(values) + 1
        if self._values > MOST_VALUES:
            self._values = len(values) + 1
            for selection in self._selections.values():
                selection.clear()
        written[id(row)] = (row, values)
