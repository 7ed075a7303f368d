"""What every resolver is given: who asks, when, and what can answer."""

from dataclasses import dataclass, field
from datetime import datetime

from dataloaders import Loaders
from dataloaders.moment import Moment, Moments
from db.queries.events import EventRow
from domain.states import EventStatus
from domain.viewer import Viewer
from services.context import Office
from services.identity.tokens import Tokens
from services.search.find_events import EventSearch
from services.waiting_room.waiting_rooms import WaitingRooms


@dataclass(frozen=True, slots=True)
class Services:
    """What answers; one of each a process."""

    office: Office
    tokens: Tokens
    rooms: WaitingRooms
    search: EventSearch
    moments: Moments = field(init=False)

    def __post_init__(self) -> None:
        """Begin the first moment."""
        object.__setattr__(self, "moments", Moments(lambda: self.office.revision.number))


class Context:
    """One operation. `now` is read once, so that one answer is of one moment."""

    __slots__ = ("_services", "address", "loaders", "now", "revision", "viewer")

    def __init__(self, services: Services, viewer: Viewer | None, address: str = "") -> None:
        self._services = services
        self.address = address
        """The address of the client."""
        self.viewer = viewer
        self.now: datetime
        """When the operation began."""
        self.revision: int
        """How many changes of events were known when it began: it may read rows from before later ones."""
        self.loaders: Loaders
        self._begin(services.moments.present())

    def refresh(self) -> None:
        """Forget what was read: after a write, and before each message of a subscription."""
        self._begin(Moment())

    def _begin(self, moment: Moment) -> None:
        office = self._services.office
        self.now = office.now()
        self.revision = office.revision.number
        self.loaders = Loaders(office.database, office.seats, office.layouts, self.now, moment)

    @property
    def office(self) -> Office:
        """Sells."""
        return self._services.office

    @property
    def tokens(self) -> Tokens:
        """Knows who is who."""
        return self._services.tokens

    @property
    def rooms(self) -> WaitingRooms:
        """The lines in front of sales."""
        return self._services.rooms

    @property
    def search(self) -> EventSearch:
        """Finds events."""
        return self._services.search

    def status_of(self, event: EventRow) -> EventStatus:
        """What the public sees of an event now."""
        return event.status_at(self.now)
