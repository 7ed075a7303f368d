"""How long a person who held places and released them, again and again, waits before the next hold."""

from datetime import datetime, timedelta

RELEASES_WINDOW = timedelta(minutes=30)
"""Releases and lapses of one person and event count for this long"""
FREE_RELEASES = 2
"""So many cost nothing"""
PAUSES = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))
"""The pause after each release that is not free; the last one repeats"""


def paused_until(releases: int, latest: datetime | None) -> datetime | None:
    """The time before which the person may hold nothing of the event; None where there is no pause."""
    if latest is None or releases <= FREE_RELEASES:
        return None
    return latest + PAUSES[min(releases - FREE_RELEASES, len(PAUSES)) - 1]
