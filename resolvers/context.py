"""What every resolver is given: who asks, when, and what can answer."""

from dataclasses import dataclass, field
from datetime import datetime

from dataloaders import Loaders
from dataloaders.moment import Moment, Moments
from domain.viewer import Viewer
from services.office import Office
from services.searching import EventSearch
from services.tokens import Tokens
from services.waiting_room import WaitingRooms


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
        self._begin(services.moments.present())

    def refresh(self) -> None:
        """Forget what was read: after a write, and before each message of a subscription."""
        self._begin(Moment())

    def _begin(self, moment: Moment) -> None:
        office = self.office
        self.now = office.now()
        self.loaders = Loaders(office.database, office.seats, office.layouts, self.now, moment)
