"""The scalars of times, dates and amounts."""

import re
from datetime import UTC, date, datetime
from typing import Any, NewType

import strawberry
from graphql import GraphQLError, IntValueNode, ValueNode

from domain.money import MOST_MINOR_UNITS

MinorUnits = NewType("MinorUnits", int)
"""The type of a field whose amount may not fit GraphQL's Int of 32 bits"""

_RFC_3339 = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
_CALENDAR_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def parse_moment(value: object) -> datetime:
    """An RFC 3339 timestamp, in UTC; one without its offset is refused.

    Raises:
        GraphQLError: it is none, or there is no such moment.
    """
    match = _RFC_3339.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise GraphQLError(
            "A DateTime is an RFC 3339 timestamp with its offset, such as 2027-03-14T19:30:00+01:00."
        )
    day, time, fraction, offset = match.groups()
    shift = "+00:00" if offset in "Zz" else offset
    try:
        return datetime.fromisoformat(f"{day}T{time}{(fraction or '')[:7]}{shift}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise GraphQLError(f"There is no such moment as {match[0]}.") from None


def write_moment(value: datetime) -> str:
    """RFC 3339 with the offset."""
    return value.isoformat()


def parse_date(value: object) -> date:
    """A calendar date.

    Raises:
        GraphQLError: it is none, or there is no such day.
    """
    if isinstance(value, str) and _CALENDAR_DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise GraphQLError("A Date is a calendar date such as 2027-03-14.")


def parse_minor_units(value: object) -> int:
    """A whole number of minor units, from a JSON number.

    Raises:
        GraphQLError: it is none, or beyond 2^53 - 1.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        whole = value if isinstance(value, int) or value.is_integer() else None
        if whole is not None and -MOST_MINOR_UNITS <= whole <= MOST_MINOR_UNITS:
            return int(whole)
    raise GraphQLError(
        f"MinorUnits is a whole number from -{MOST_MINOR_UNITS} to {MOST_MINOR_UNITS}, such as 4550."
    )


def parse_minor_units_literal(node: ValueNode, _variables: dict[str, Any] | None = None) -> int:
    """A whole number of minor units in a document, which must be written as one."""
    return parse_minor_units(int(node.value) if isinstance(node, IntValueNode) else None)


DATE_TIME = strawberry.scalar(
    name="DateTime",
    description="RFC 3339 timestamp with offset, e.g. 2027-03-14T19:30:00+01:00",
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    serialize=write_moment,
    parse_value=parse_moment,
)
DATE = strawberry.scalar(
    name="Date",
    description="A calendar date, e.g. 2027-03-14",
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339#section-5.6",
    serialize=date.isoformat,
    parse_value=parse_date,
)
MINOR_UNITS = strawberry.scalar(
    name="MinorUnits",
    description="A whole number of minor units, up to 2^53 - 1 either way, as a JSON number: a day's takings "
    "in won do not fit an Int",
    serialize=parse_minor_units,
    parse_value=parse_minor_units,
    parse_literal=parse_minor_units_literal,
)
SCALARS: dict[object, strawberry.types.scalar.ScalarDefinition] = {
    datetime: DATE_TIME,
    date: DATE,
    MinorUnits: MINOR_UNITS,
}
