"""The draw of a waiting room, for anyone to check."""

from dataclasses import dataclass
from uuid import UUID

from db.queries.waiting_rooms import draw_results, waiting_room_of
from db.session import Database
from domain.errors import NotFound
from domain.waiting_room import commitment_of, entry_id_of, verify_draw


@dataclass(frozen=True, slots=True)
class Draw:
    """A draw: `entries` are (entry id, place) in the order of admission.

    `seed` is None before the draw. `verified` means that the seed fits the commitment and gives exactly these
    places in this order.
    """

    commitment: str
    seed: str | None
    entries: tuple[tuple[UUID, int], ...]
    verified: bool


async def draw_of(database: Database, event_id: UUID) -> Draw:
    """Return the draw of one event.

    Raises:
        NotFound: There is no such event, or it never had a waiting room.
    """
    room = await waiting_room_of(database, event_id)
    if room is None or room.seed is None:
        raise NotFound("This event has no waiting room.")
    commitment = commitment_of(room.seed)
    if room.drawn_at is None:
        return Draw(commitment, None, (), verified=False)
    people = await draw_results(database, event_id)
    entries = tuple((entry_id_of(event_id, user_id), place) for user_id, place in people)
    return Draw(commitment, room.seed.hex(), entries, verify_draw(commitment, room.seed, entries))
