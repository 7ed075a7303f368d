"""The context of one operation: its viewer, its time, its loaders and the services."""

from dataclasses import dataclass, field
from datetime import datetime

from dataloaders import Loaders
from dataloaders.row_cache import RowCache, RowCaches
from db.queries.events import EventRow
from domain.states import EventStatus, next_sale_change
from domain.viewer import Viewer
from services.context import ServiceContext
from services.identity.challenges import Challenges
from services.identity.guests import GuestSessions
from services.search.find_events import EventSearch
from services.waiting_room.waiting_rooms import WaitingRooms


@dataclass(frozen=True, slots=True)
class Services:
    """The services of one process."""

    context: ServiceContext
    guests: GuestSessions
    challenges: Challenges
    waiting_rooms: WaitingRooms
    search: EventSearch
    row_caches: RowCaches = field(init=False)

    def __post_init__(self) -> None:
        """Begin the first row cache."""
        object.__setattr__(self, "row_caches", RowCaches(lambda: self.context.revision.number))


class RequestContext:
    """The context of one operation; `now` is read once, so that all fields answer for one time."""

    __slots__ = (
        "address",
        "challenges",
        "guests",
        "loaders",
        "now",
        "revision",
        "search",
        "services",
        "true_until",
        "viewer",
        "waiting_rooms",
    )

    def __init__(self, services: Services, viewer: Viewer | None, address: str = "") -> None:
        self.address = address
        """The address of the client"""
        self.viewer = viewer
        """The caller that the token speaks for, None without a token"""
        self.services: ServiceContext = services.context
        """The context that use cases are called with"""
        self.guests: GuestSessions = services.guests
        self.challenges: Challenges = services.challenges
        self.waiting_rooms: WaitingRooms = services.waiting_rooms
        self.search: EventSearch = services.search
        self.now: datetime
        """The start of the operation"""
        self.revision: int
        """The number of event changes known at the start; loaded rows may be older than later changes"""
        self.true_until: datetime | None
        """When the first of the statuses that were read becomes another by the clock; None for never"""
        self.loaders: Loaders
        self._begin(services.row_caches.current())

    def refresh(self) -> None:
        """Drop the loaded rows: after a write, and before each message of a subscription."""
        self._begin(RowCache())

    def _begin(self, rows: RowCache) -> None:
        services = self.services
        self.now = services.now()
        self.true_until = None
        self.revision = services.revision.number
        self.loaders = Loaders(services.database, services.seats, services.layouts, self.now, rows)

    def status_of(self, event: EventRow) -> EventStatus:
        """Return the status that the public sees at the start of the operation."""
        change = next_sale_change(event, self.now)
        if change is not None and (self.true_until is None or change < self.true_until):
            self.true_until = change
        return event.status_at(self.now)
