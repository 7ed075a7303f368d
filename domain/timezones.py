"""Time zones: IANA names of places, never the name of whatever clock a machine has."""

from functools import lru_cache
from zoneinfo import available_timezones

# Files beside the zones: the zone of this machine, and what a machine has before its zone is set.
_NO_ZONES = frozenset({"localtime", "Factory"})


def is_timezone(name: str) -> bool:
    """Whether a name is an IANA time zone such as Asia/Seoul; upper and lower case count."""
    return name in timezones()


@lru_cache(maxsize=1)
def timezones() -> frozenset[str]:
    """The names of all time zones."""
    return frozenset(available_timezones()) - _NO_ZONES
