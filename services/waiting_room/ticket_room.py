"""Whether a person has room for another ticket of an event, before they wait for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from db.queries.waiting_rooms import WaitingRoomRow, tickets_of_persons
from db.session import DATABASE_AWAY, Database
from domain.errors import LimitExceeded, Unavailable
from domain.person import Person, person_of
from domain.viewer import Scope, Viewer
from kit.batcher import Batcher
from kit.clock import Clock

_MAX_BATCH = 2000


@dataclass(frozen=True, slots=True)
class _Question:
    event_id: UUID
    person: Person


class TicketRoom:
    """Counts the tickets of those who join, in one statement for all who join at the same time."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._counts = Batcher[_Question, int](self._count, max_batch=_MAX_BATCH, max_concurrent=1)

    async def check(self, buyer: Viewer, row: WaitingRoomRow) -> None:
        """Check that the buyer may have another ticket; the event's organiser has no limit.

        The error says the limit and not what other accounts of a guest's address have.

        Raises:
            LimitExceeded: The person has as many tickets as one may have.
            Unavailable: PostgreSQL does not answer.
        """
        if buyer.user_id == row.organiser_id and Scope.ORGANISE.value in buyer.scopes:
            return
        most = row.max_per_person
        if await self._counts.submit(_Question(row.event_id, person_of(buyer))) >= most:
            raise LimitExceeded(
                f"One person may have at most {most} tickets of this event, and you have them.",
                limit=most,
                have=most,
            )

    async def _count(self, questions: Sequence[_Question]) -> Sequence[int | Exception]:
        events = [each.event_id for each in questions]
        persons = [(each.person.key, each.person.address_key) for each in questions]
        try:
            return await tickets_of_persons(self._database, events, persons, self._clock())
        except DATABASE_AWAY as error:
            away = Unavailable()
            away.__cause__ = error
            return [away] * len(questions)
