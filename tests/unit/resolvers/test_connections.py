"""Cursors and page sizes."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.queries.pages import Keyset
from domain.errors import BadRequest
from kit.ids import new_uuid
from resolvers.connections import (
    PageArguments,
    connect,
    number_cursor,
    page_size,
    read_number_cursor,
    read_time_cursor,
    time_cursor,
)

MOMENT = datetime(2031, 5, 1, 10, 30, 0, 123456, tzinfo=UTC)


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(9000, 1, 1)), st.uuids())  # noqa: DTZ001
def test_a_moment_comes_back_to_the_microsecond(moment: datetime, key: object) -> None:
    aware = moment.replace(tzinfo=UTC)

    assert read_time_cursor("orders", time_cursor("orders", aware, key)) == Keyset(aware, key)  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [0, 7, 299_999])
def test_a_number_comes_back(number: int) -> None:
    assert read_number_cursor("places", number_cursor("places", number)) == number


def test_no_cursor_is_the_beginning() -> None:
    assert read_time_cursor("orders", None) is None
    assert read_number_cursor("places", None) is None


def test_a_cursor_of_another_list_is_refused() -> None:
    cursor = time_cursor("orders", MOMENT, new_uuid())

    for read in (read_time_cursor, read_number_cursor):
        with pytest.raises(BadRequest, match="not a cursor of this list"):
            read("STARTS_AT_ASC", cursor)


@given(st.text(max_size=60))
def test_any_other_text_is_refused(text: str) -> None:
    for read in (read_time_cursor, read_number_cursor):
        with pytest.raises(BadRequest):
            read("orders", text)


def test_a_cursor_with_a_changed_letter_is_refused_or_another_key() -> None:
    cursor = time_cursor("orders", MOMENT, new_uuid())

    with pytest.raises(BadRequest):
        read_time_cursor("orders", cursor + "=")
    with pytest.raises(BadRequest):
        read_time_cursor("orders", cursor[:-3])


@pytest.mark.parametrize(("first", "size"), [(None, 20), (1, 1), (100, 100)])
def test_a_page_size_within_bounds_is_taken(first: int | None, size: int) -> None:
    assert page_size(first) == size


@pytest.mark.parametrize("first", [0, -1, 101])
def test_a_page_size_out_of_bounds_is_refused(first: int) -> None:
    with pytest.raises(BadRequest, match="between 1 and 100"):
        page_size(first)


async def test_a_page_says_what_follows_and_counts_when_asked() -> None:
    async def count() -> int:
        return 5

    page = connect([1, 2, 3], 2, str, count, PageArguments(2, "0"))

    assert [edge.node for edge in page.edges] == [1, 2]
    assert page.page_info.has_next_page
    assert page.page_info.has_previous_page
    assert (page.page_info.start_cursor, page.page_info.end_cursor) == ("1", "2")
    assert await page.count() == 5


async def test_an_empty_page_has_no_cursors() -> None:
    async def count() -> int:
        return 0

    page = connect(list[int](), 2, str, count, PageArguments(2))

    assert page.page_info.start_cursor is None
    assert not page.page_info.has_next_page
    assert not page.page_info.has_previous_page


async def test_a_page_from_the_end_says_what_precedes() -> None:
    async def count() -> int:
        return 5

    page = connect([2, 3, 4], 2, str, count, PageArguments(20, None, last=2, before="5"))
    whole = connect([3, 4], 2, str, count, PageArguments(last=2))

    assert [edge.node for edge in page.edges] == [3, 4]
    assert (page.page_info.has_previous_page, page.page_info.has_next_page) == (True, True)
    assert (page.page_info.start_cursor, page.page_info.end_cursor) == ("3", "4")
    assert (whole.page_info.has_previous_page, whole.page_info.has_next_page) == (False, False)


@pytest.mark.parametrize("last", [0, -1, 101])
def test_a_page_size_from_the_end_is_bounded_too(last: int) -> None:
    with pytest.raises(BadRequest, match="last must be between 1 and 100"):
        PageArguments(20, last=last).size()


def test_a_cursor_that_is_none_is_named_by_its_argument() -> None:
    with pytest.raises(BadRequest, match="before: 'x' is not a cursor"):
        PageArguments(last=1, before="x").by_time("orders")
