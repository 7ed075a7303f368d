"""Serialized attributes of immutable rows, kept once for each row and selection."""

from __future__ import annotations

from typing import Any
from weakref import WeakValueDictionary

MOST_VALUES = 200_000
"""Of all selections together; beyond that the kept rows are dropped."""


class Written(dict[int, tuple[Any, dict[str, Any]]]):
    """Rows and their values by the row's id(); holding the row keeps its id() unique."""

    __slots__ = ("__weakref__",)


class WrittenRows:
    """The serialized rows of all selections of a process, with one bound."""

    def __init__(self, kinds: frozenset[type]) -> None:
        self.kinds = kinds
        self._selections: WeakValueDictionary[int, Written] = WeakValueDictionary()
        self._values = 0

    def of_selection(self) -> Written:
        """The table of one selection."""
        written = Written()
        self._selections[id(written)] = written
        return written

    def keep(self, written: Written, row: object, values: dict[str, Any]) -> None:
        """Keep a row's values; beyond the bound, drop all other rows."""
        self._values += len(values) + 1
        if self._values > MOST_VALUES:
            self._values = len(values) + 1
            for selection in self._selections.values():
                selection.clear()
        written[id(row)] = (row, values)
