"""Joins a waiting room behind a challenge."""

from uuid import UUID

from domain.errors import ChallengeRequired, NotFound
from domain.viewer import Viewer
from domain.waiting_room import EntryState
from services.identity.authorisation import buyer_of
from services.identity.challenges import Challenges
from services.waiting_room.waiting_rooms import QueueEntry, WaitingRooms

_HAS_A_PLACE = frozenset({EntryState.WAITING, EntryState.ADMITTED})


async def join_with_solution(
    waiting_rooms: WaitingRooms,
    challenges: Challenges,
    viewer: Viewer | None,
    event_id: UUID,
    solution: str | None,
    *,
    address: str,
) -> QueueEntry:
    """Join after a solved challenge. A caller who has a place gets it again without one, so retries are safe.

    Raises:
        ChallengeRequired: The caller has no place yet, and the solution is missing or not accepted.
        NotFound, NotOnSale, LimitExceeded, RateLimited, Unavailable: As `WaitingRooms.join`.
    """
    buyer_of(viewer)
    try:
        await challenges.redeem(solution)
    except ChallengeRequired:
        entry = await _place_of(waiting_rooms, viewer, event_id)
        if entry is None:
            raise
        return entry
    return await waiting_rooms.join(viewer, event_id, address=address)


async def _place_of(waiting_rooms: WaitingRooms, viewer: Viewer | None, event_id: UUID) -> QueueEntry | None:
    try:
        entry = await waiting_rooms.entry(viewer, event_id)
    except NotFound:
        return None
    return entry if entry is not None and entry.state in _HAS_A_PLACE else None
