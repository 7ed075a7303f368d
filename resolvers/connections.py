"""Pages of long lists: keyset cursors, page sizes and page info.

A cursor is opaque: the name of its list, the sort value and the id of its row, in URL-safe base64.
"""

import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar
from uuid import UUID

from db.queries.pages import Keyset, TimePage
from domain.errors import BadRequest

T = TypeVar("T")

MOST_ON_A_PAGE = 100
MOST_PLACES_ON_A_PAGE = 500
_LONGEST_CURSOR = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Edge(Generic[T]):
    """One row of a page, with its cursor."""

    node: T
    cursor: str


@dataclass(frozen=True, slots=True)
class PageInfo:
    """Whether rows lie before and after a page."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(frozen=True, slots=True)
class Connection(Generic[T]):
    """A page; `count` is called only where totalCount is selected."""

    edges: Sequence[Edge[T]]
    page_info: PageInfo
    count: Callable[[], Awaitable[int]]


def page_size(
    asked: int | None, argument: str = "first", *, usual: int = 20, most: int = MOST_ON_A_PAGE
) -> int:
    """Return the page size.

    Raises:
        BadRequest: fewer than 1 or more than `most`.
    """
    size = usual if asked is None else asked
    if not 1 <= size <= most:
        raise BadRequest(f"{argument} must be between 1 and {most}, not {size}.")
    return size


@dataclass(frozen=True, slots=True)
class PageArguments:
    """The arguments of a page: the first rows after a cursor, or with `last` the last ones before one.

    `first` has a default in the schema, so it is not used beside `last`.
    """

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None

    @property
    def backward(self) -> bool:
        """Whether the page is taken from the end."""
        return self.last is not None

    def size(self, *, usual: int = 20, most: int = MOST_ON_A_PAGE) -> int:
        """Return the page size. Raises: BadRequest, as `page_size`."""
        if self.last is not None:
            return page_size(self.last, "last", most=most)
        return page_size(self.first, usual=usual, most=most)

    def by_time(self, listing: str) -> TimePage:
        """Return the page of a list that is sorted by a time and an id, with one row more than its size.

        Raises:
            BadRequest: the size, or a cursor, is none.
        """
        after, before = (
            read_time_cursor(listing, self.after),
            read_time_cursor(listing, self.before, "before"),
        )
        return TimePage(self.size() + 1, after, before, self.backward)


def connect(
    rows: Sequence[T],
    size: int,
    cursor_of: Callable[[T], str],
    count: Callable[[], Awaitable[int]],
    page: PageArguments,
) -> Connection[T]:
    """Return a page of `size` rows; one more was read, at the far end, if another page follows there."""
    has_more = len(rows) > size
    shown = rows[len(rows) - size if has_more else 0 :] if page.backward else rows[:size]
    edges = [Edge(row, cursor_of(row)) for row in shown]
    info = PageInfo(
        has_next_page=page.before is not None if page.backward else has_more,
        has_previous_page=has_more if page.backward else page.after is not None,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
    return Connection(edges, info, count)


def time_cursor(listing: str, at: datetime, key: UUID) -> str:
    """Return the cursor of a row in a list sorted by a time and an id."""
    return _encode(f"{listing}:{(at - _EPOCH) // _MICROSECOND}:{key.hex}")


def read_time_cursor(listing: str, cursor: str | None, argument: str = "after") -> Keyset | None:
    """Return the time and the id of a cursor.

    Raises:
        BadRequest: it is none, or another list's.
    """
    if cursor is None:
        return None
    try:
        microseconds, key = _decode(listing, cursor, argument).split(":")
        return Keyset(_EPOCH + int(microseconds) * _MICROSECOND, UUID(hex=key))
    except (ValueError, OverflowError):
        raise _not_a_cursor(cursor, argument) from None


def number_cursor(listing: str, number: int) -> str:
    """Return the cursor of a row in a list sorted by a number."""
    return _encode(f"{listing}:{number}")


def read_number_cursor(listing: str, cursor: str | None, argument: str = "after") -> int | None:
    """Return the number of a cursor.

    Raises:
        BadRequest: it is none, or another list's.
    """
    if cursor is None:
        return None
    digits = _decode(listing, cursor, argument)
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 9):
        raise _not_a_cursor(cursor, argument)
    return int(digits)


def _encode(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(listing: str, cursor: str, argument: str) -> str:
    """Return a cursor's text after the name of its list; only text that `_encode` writes is accepted."""
    try:
        if len(cursor) > _LONGEST_CURSOR:
            raise _not_a_cursor(cursor, argument)
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        raise _not_a_cursor(cursor, argument) from None
    name, separator, rest = text.partition(":")
    if name != listing or not separator or _encode(text) != cursor:
        raise _not_a_cursor(cursor, argument)
    return rest


def _not_a_cursor(cursor: str, argument: str) -> BadRequest:
    return BadRequest(f"{argument}: {cursor[:40]!r} is not a cursor of this list.")
