"""The venues within a radius of a point, nearest first.

Meilisearch keeps the points of all documents in one tree, which it reads and writes whole: with 100,000
events, that alone takes a second for each change. Events share venues, so the database finds the venues and
the index filters by them.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from search.index import Near

# Runs a statement with arguments and a timeout in seconds; returns its rows, JSON decoded.
Fetch = Callable[[str, tuple[Any, ...], float], Awaitable[list[Any]]]
# The venues at each point, the nearest point first.
VenueGroups = Sequence[Sequence[UUID]]

KM_PER_DEGREE = 111.32
_TIMEOUT_SECONDS = 1.0


class NearbyVenues:
    """Looks up venues by their coordinates."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch

    async def __call__(self, near: Near, most: int) -> VenueGroups:
        """The nearest `most` points with venues within the radius."""
        degrees = near.radius_km / KM_PER_DEGREE
        low, high = near.lat - degrees, near.lat + degrees
        arguments = (near.lat, near.lng, low, high, near.radius_km, most)
        rows = await self._fetch(_AROUND, arguments, _TIMEOUT_SECONDS)
        return [row["venues"] for row in rows]


@dataclass(frozen=True, slots=True)
class Share:
    """The part of a page that one group of venues fills: how many of its events to skip and to take."""

    venues: Sequence[UUID]
    skipped: int
    taken: int


def page_shares(groups: VenueGroups, counts: Mapping[UUID, int], offset: int, size: int) -> list[Share]:
    """The shares of a page when the events of one group follow those of the other."""
    shares: list[Share] = []
    for venues in groups:
        found = sum(counts.get(venue, 0) for venue in venues)
        taken = min(found - offset, size)
        if taken > 0:
            shares.append(Share(venues, offset, taken))
            size -= taken
        offset = max(0, offset - found)
    return shares


def distance_km(lat: str, lng: str) -> str:
    """SQL for the kilometres between a venue `v` and a point, by the haversine formula."""
    return f"""(12742 * asin(least(1, sqrt(
        sin(radians(v.lat - {lat}) / 2) ^ 2
        + cos(radians({lat})) * cos(radians(v.lat)) * sin(radians(v.lng - {lng}) / 2) ^ 2))))"""


_AROUND = f"""
SELECT array_agg(v.id ORDER BY v.id) AS venues
FROM venues v
CROSS JOIN LATERAL (SELECT {distance_km("$1::float8", "$2::float8")} AS km) AS away
WHERE v.lat BETWEEN $3 AND $4 AND away.km <= $5
GROUP BY away.km ORDER BY away.km LIMIT $6
"""  # noqa: S608  (built from constants only)
