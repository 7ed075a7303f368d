"""The draw of an event's line, for anyone to check."""

from dataclasses import dataclass
from uuid import UUID

from db.queries.waiting_rooms import draw_results, waiting_room_of
from db.session import Database
from domain.errors import NotFound
from domain.waiting_room import commitment_of, entry_id_of, verify_draw


@dataclass(frozen=True, slots=True)
class Draw:
    """A draw as it was made: `line` is everyone in it, as (entry, place), the first to go first.

    `seed` is None before the draw; `verified` says whether the seed is the one that was committed to and
    gives exactly these places in exactly this order.
    """

    commitment: str
    seed: str | None
    line: tuple[tuple[UUID, int], ...]
    verified: bool


async def draw_of(database: Database, event_id: UUID) -> Draw:
    """The draw of one event.

    Raises:
        NotFound: there is no such event, or it never had a line.
    """
    room = await waiting_room_of(database, event_id)
    if room is None or room.seed is None:
        raise NotFound("This event has no waiting room.")
    commitment = commitment_of(room.seed)
    if room.drawn_at is None:
        return Draw(commitment, None, (), verified=False)
    people = await draw_results(database, event_id)
    line = tuple((entry_id_of(event_id, user_id), place) for user_id, place in people)
    return Draw(commitment, room.seed.hex(), line, verify_draw(commitment, room.seed, line))
