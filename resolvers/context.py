"""What every resolver is given: who asks, when, and what can answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from dataloaders import Loaders
from domain.viewer import Viewer
from services.office import Office
from services.tokens import Tokens
from services.waiting_room import WaitingRooms


@dataclass(frozen=True, slots=True)
class SearchQuestion:
    """What is looked for; None does not matter. `near` is latitude, longitude and kilometres."""

    keyword: str = ""
    start: datetime | None = None
    end: datetime | None = None
    city: str | None = None
    category: str | None = None
    near: tuple[float, float, float] | None = None
    price_max: int | None = None
    available_only: bool = False
    sort: str = "RELEVANCE"
    page_size: int = 20
    page_num: int = 1


@dataclass(frozen=True, slots=True)
class FacetCounts:
    """How many of all results have each value."""

    field: str
    buckets: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class FoundEvents:
    """One page of results by id, best first."""

    event_ids: tuple[UUID, ...]
    total: int
    facets: tuple[FacetCounts, ...]
    took_ms: int
    source: str


@dataclass(frozen=True, slots=True)
class Completion:
    """What somebody may be about to type."""

    text: str
    kind: str
    event_id: UUID | None


class EventSearch(Protocol):
    """What finds events: the index, or the database while the index is away."""

    async def search_events(self, question: SearchQuestion) -> FoundEvents:
        """One page of results."""

    async def suggest(self, prefix: str, most: int) -> Sequence[Completion]:
        """Completions, best first."""


@dataclass(frozen=True, slots=True)
class Services:
    """What answers; one of each a process."""

    office: Office
    tokens: Tokens
    rooms: WaitingRooms
    search: EventSearch


class Context:
    """One operation. `now` is read once, so that one answer is of one moment."""

    __slots__ = ("address", "loaders", "now", "office", "rooms", "search", "tokens", "viewer")

    def __init__(self, services: Services, viewer: Viewer | None, address: str = "") -> None:
        self.office = services.office
        self.tokens = services.tokens
        self.rooms = services.rooms
        self.search = services.search
        self.viewer = viewer
        self.address = address
        self.now: datetime
        self.loaders: Loaders
        self.refresh()

    def refresh(self) -> None:
        """Forget what was read: after a write, and before each message of a subscription."""
        office = self.office
        self.now = office.now()
        self.loaders = Loaders(office.database, office.seats, office.layouts, self.now)
