"""Moments, dates and amounts."""

from datetime import UTC, date, datetime

import pytest
from graphql import GraphQLError, parse_value

from schema.scalars import (
    parse_date,
    parse_minor_units,
    parse_minor_units_literal,
    parse_moment,
    write_moment,
)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2027-03-14T19:30:00+01:00", datetime(2027, 3, 14, 18, 30, tzinfo=UTC)),
        ("2027-03-14T19:30:00Z", datetime(2027, 3, 14, 19, 30, tzinfo=UTC)),
        ("2027-03-14t19:30:00.25z", datetime(2027, 3, 14, 19, 30, 0, 250_000, tzinfo=UTC)),
        ("2027-03-14T19:30:00.123456789-03:30", datetime(2027, 3, 14, 23, 0, 0, 123_456, tzinfo=UTC)),
    ],
)
def test_a_timestamp_with_its_offset_is_a_moment(text: str, moment: datetime) -> None:
    assert parse_moment(text) == moment
    assert parse_moment(write_moment(moment)) == moment


@pytest.mark.parametrize(
    "value",
    [
        "2027-03-14T19:30:00",
        "2027-03-14",
        "2027-03-14 19:30:00Z",
        "2027-02-29T00:00:00Z",
        "2027-03-14T24:00:00Z",
        "2027-03-14T19:30:60Z",
        "2027-03-14T19:30:00+25:00",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "٢٠٢٧-03-14T19:30:00Z",
        "20270314T193000Z",
        "",
        0,
        1.5,
        None,
        True,
        ["2027-03-14T19:30:00Z"],
    ],
)
def test_anything_else_is_no_moment(value: object) -> None:
    with pytest.raises(GraphQLError):
        parse_moment(value)


def test_a_date_is_read_and_nothing_else() -> None:
    assert parse_date("2027-03-14") == date(2027, 3, 14)
    for value in ("2027-3-14", "2027-02-29", "2027-03-14T00:00:00Z", 20270314, None):
        with pytest.raises(GraphQLError):
            parse_date(value)


@pytest.mark.parametrize("value", [0, -1, 4550, 2**31, 999_999_999_999, 2**53 - 1, -(2**53) + 1, 1e3])
def test_a_whole_number_is_an_amount(value: float) -> None:
    amount = parse_minor_units(value)

    assert (amount, type(amount)) == (value, int)


@pytest.mark.parametrize(
    "value", [2**53, -(2**53), 1.5, "4550", True, None, [1], float("nan"), float("inf"), 1e300]
)
def test_anything_else_is_no_amount(value: object) -> None:
    with pytest.raises(GraphQLError):
        parse_minor_units(value)


def test_an_amount_in_a_document_is_written_as_a_whole_number() -> None:
    assert parse_minor_units_literal(parse_value("999999999999")) == 999_999_999_999
    for text in ("1.0", "1e3", '"5"', "true", "9007199254740992"):
        with pytest.raises(GraphQLError):
            parse_minor_units_literal(parse_value(text))
