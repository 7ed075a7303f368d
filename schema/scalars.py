"""The scalars of times and dates."""

import re
from datetime import UTC, date, datetime

import strawberry
from graphql import GraphQLError

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
SCALARS: dict[object, strawberry.types.scalar.ScalarDefinition] = {datetime: DATE_TIME, date: DATE}
