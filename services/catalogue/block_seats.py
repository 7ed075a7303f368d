"""Block seats: take places out of the sale, under the same unique index as sold ones."""

from collections.abc import Sequence
from uuid import UUID

from db.queries.claims import block_places, unblock_places
from db.queries.outbox import write_task
from db.session import DATABASE_AWAY
from db.violations import PlaceTaken
from domain.errors import InvalidInput, SeatsGone, Unavailable
from domain.outbox import Topic
from domain.viewer import Viewer
from reservations.outcomes import Outcome
from services.context import ServiceContext
from services.identity.authorisation import own_sale

_MOST_SEATS = 5_000


async def block_seats(
    context: ServiceContext, viewer: Viewer | None, event_id: UUID, places: Sequence[int], *, blocked: bool
) -> None:
    """Take free seats out of the sale, or put blocked ones back: all of them or none.

    Raises:
        SeatsGone: Some are held or booked.
        InvalidInput: No seat is named, or one that this event does not have.
    """
    sale = await own_sale(context, viewer, event_id)
    seat_map = await context.seat_map(sale.seat_map_version)
    if not 1 <= len(places) <= _MOST_SEATS:
        raise InvalidInput(f"seatIds: between 1 and {_MOST_SEATS} seats at a time.")
    if any(place >= seat_map.seat_count for place in places):
        raise InvalidInput("seatIds: this event has no such seat.")
    unique = sorted(set(places))
    answer = await context.seats.block(event_id, unique, blocked=blocked)
    if answer.outcome is Outcome.TAKEN:
        raise SeatsGone(answer.places)
    taken = await _write(context, event_id, unique, blocked=blocked)
    if taken:
        await context.seats.block(event_id, answer.places, blocked=False)
        raise SeatsGone(tuple(taken))


async def _write(context: ServiceContext, event_id: UUID, places: list[int], *, blocked: bool) -> list[int]:
    try:
        async with context.database.transaction() as connection:
            taken: list[int] = []
            if blocked:
                taken = await block_places(connection, event_id, places)
            else:
                await unblock_places(connection, event_id, places)
            if not taken:
                await write_task(connection, Topic.EVENT_CHANGED, event_id, {}, context.now())
            return taken
    except PlaceTaken:
        return places
    except DATABASE_AWAY as error:
        raise Unavailable from error
