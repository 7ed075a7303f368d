"""Pages by keyset: the rows after one row or before another, from either end of a list."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Keyset:
    """A row's place in a list that is sorted by a time and an id."""

    value: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class TimePage:
    """At most `most` rows between two rows of a list: the first, or the last where it is `backward`."""

    most: int
    after: Keyset | None = None
    before: Keyset | None = None
    backward: bool = False

    def conditions(self, column: str, key: str, bind: Callable[[Any], str], *, descending: bool) -> list[str]:
        """The conditions in SQL; `bind` numbers an argument."""
        behind, ahead = ("<", ">") if descending else (">", "<")
        return [
            f"({column}, {key}) {comparison} ({bind(limit.value)}::timestamptz, {bind(limit.id)}::uuid)"
            for limit, comparison in ((self.after, behind), (self.before, ahead))
            if limit is not None
        ]

    def order(self, column: str, key: str, *, descending: bool) -> str:
        """The ORDER BY of the rows that are read first."""
        direction = "DESC" if descending != self.backward else "ASC"
        return f"{column} {direction}, {key} {direction}"

    def in_order(self, rows: Sequence[T]) -> list[T]:
        """The rows in the order of the list, as they were read from the page's end."""
        return list(reversed(rows)) if self.backward else list(rows)


def binder(arguments: list[Any]) -> Callable[[Any], str]:
    """A function that adds an argument, and returns its number in the statement."""

    def bind(argument: Any) -> str:
        arguments.append(argument)
        return f"${len(arguments)}"

    return bind
