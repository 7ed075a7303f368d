"""The one place that asks what time it is, so that a test can answer."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The present, in UTC with its offset."""
    return datetime.now(UTC)


def milliseconds(moment: datetime) -> int:
    """Unix time in milliseconds, as Redis scripts count it."""
    return int(moment.timestamp() * 1000)
