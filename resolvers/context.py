"""What every resolver is given: who asks, when, and what can answer."""

from dataclasses import dataclass, field
from datetime import datetime

from dataloaders import Loaders
from dataloaders.moment import Moment, Moments
from dataloaders.reads import Reads
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
    """One operation. `now` is read once, so that one answer is of one moment.

    What resolvers read of events is kept account of (`reads`). Whatever else a context gives may make an
    answer another one the next time, so to ask for it says that the account is not whole.
    """

    __slots__ = ("_address", "_now", "_services", "loaders", "revision", "viewer")

    def __init__(self, services: Services, viewer: Viewer | None, address: str = "") -> None:
        self._services = services
        self._address = address
        self.viewer = viewer
        self._now: datetime
        self.revision: int
        """How many changes of events were known when it began: it may read rows from before later ones."""
        self.loaders: Loaders
        self._begin(services.moments.present())

    def refresh(self) -> None:
        """Forget what was read: after a write, and before each message of a subscription."""
        self._begin(Moment())

    def _begin(self, moment: Moment) -> None:
        office = self._services.office
        self._now = office.now()
        self.revision = office.revision.number
        self.loaders = Loaders(office.database, office.seats, office.layouts, self._now, moment)

    @property
    def now(self) -> datetime:
        """When the operation began."""
        self.loaders.reads.is_whole = False
        return self._now

    @property
    def address(self) -> str:
        """Where the client is."""
        self.loaders.reads.is_whole = False
        return self._address

    @property
    def office(self) -> Office:
        """Sells."""
        self.loaders.reads.is_whole = False
        return self._services.office

    @property
    def tokens(self) -> Tokens:
        """Knows who is who."""
        self.loaders.reads.is_whole = False
        return self._services.tokens

    @property
    def rooms(self) -> WaitingRooms:
        """The lines in front of sales."""
        self.loaders.reads.is_whole = False
        return self._services.rooms

    @property
    def search(self) -> EventSearch:
        """Finds events."""
        self.loaders.reads.is_whole = False
        return self._services.search

    def status_of(self, event: EventRow) -> EventStatus:
        """What the public sees of an event now."""
        return self.loaders.reads.status(event, self._now)

    @property
    def reads(self) -> Reads | None:
        """What was read; None where the account is not whole."""
        reads = self.loaders.reads
        return reads if reads.is_whole else None

    def would_read(self, reads: Reads) -> bool:
        """Whether this operation would read just that."""
        return self.loaders.would_read(reads, self._now)
