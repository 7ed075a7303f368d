"""The use cases of the waiting room: join, leave, read, configure, and the checks of ordering."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from db.queries.waiting_rooms import WaitingRoomRow, set_waiting_room, waiting_room_of, waiting_rooms_of
from db.session import DATABASE_AWAY, Database
from domain.errors import (
    NotFound,
    NotOnSale,
    QueueTokenInvalid,
    QueueTokenRequired,
    RateLimited,
    Unavailable,
)
from domain.states import EventState, EventStatus, event_status
from domain.viewer import Viewer
from domain.waiting_room import (
    WEIGHT_CLASSES,
    EntryState,
    Pace,
    Phase,
    WaitingRoomSettings,
    drawn_place,
    entry_id_of,
    eta_seconds,
    new_seed,
    phase_of,
)
from kit.batcher import Batcher
from kit.cache import Cache
from kit.clock import Clock, utc_now
from kit.networks import is_public, network_of
from services.context import reading
from services.identity.authorisation import buyer_of, organiser_of, own_event
from services.waiting_room.admission_controller import AdmissionController
from services.waiting_room.join_writer import JoinWriter
from services.waiting_room.queue_tokens import QueueTokens, admission_id_of, holder_of
from services.waiting_room.ticket_room import TicketRoom
from waiting_room.outcomes import Joined, Outcome, Standing, WaitingRoomState
from waiting_room.store import ACCOUNT_COST, GUEST_COST, SHARE_POINTS, WaitingRoomStore

_CACHED_SECONDS = 1.0
_MAX_CACHED = 4_096
_STATES = {
    Outcome.WAITING: EntryState.WAITING,
    Outcome.ADMITTED: EntryState.ADMITTED,
    Outcome.EXPIRED: EntryState.EXPIRED,
    Outcome.LEFT: EntryState.LEFT,
}
_PRESENT = (Outcome.WAITING, Outcome.ADMITTED)


@dataclass(frozen=True, slots=True)
class Overview:
    """The public state of an event's waiting room."""

    enabled: bool
    phase: Phase
    waiting: int
    admit_per_minute: int
    pre_queue_seconds: int = WaitingRoomSettings(enabled=False).pre_queue_seconds
    commitment: str | None = None
    seed: str | None = None


CLOSED = Overview(enabled=False, phase=Phase.CLOSED, waiting=0, admit_per_minute=600)


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """The queue entry of one account; `token` and `expires_at` are set while it is admitted."""

    entry_id: UUID
    state: EntryState
    position: int | None = None
    eta_seconds: int | None = None
    token: str | None = None
    expires_at: datetime | None = None

    @property
    def ahead(self) -> int | None:
        """The number of people who are admitted before."""
        return None if self.position is None else self.position - 1


class WaitingRooms:
    """The waiting rooms of one installation."""

    def __init__(
        self,
        database: Database,
        room: WaitingRoomStore,
        tokens: QueueTokens,
        controller: AdmissionController,
        *,
        clock: Clock = utc_now,
        share_points: int = SHARE_POINTS,
    ) -> None:
        self.room = room
        self._database = database
        self._tokens = tokens
        self._controller = controller
        self._clock = clock
        self._joins = JoinWriter(database)
        self._tickets = TicketRoom(database, clock)
        self._share_points = share_points
        # A page of events reads all its waiting rooms in one statement.
        self._row_reads = Batcher[UUID, WaitingRoomRow | None](self._load_rows, max_batch=500)
        self._rows: Cache[UUID, WaitingRoomRow | None] = Cache(
            max_entries=_MAX_CACHED, ttl_seconds=_CACHED_SECONDS
        )
        self._states: Cache[UUID, WaitingRoomState | None] = Cache(
            max_entries=_MAX_CACHED, ttl_seconds=_CACHED_SECONDS
        )

    async def _row(self, event_id: UUID) -> WaitingRoomRow | None:
        return await self._rows.get_or_load(event_id, self._row_reads.submit)

    async def _state(self, event_id: UUID) -> WaitingRoomState | None:
        return await self._states.get_or_load(event_id, self.room.state)

    async def _load_rows(self, event_ids: Sequence[UUID]) -> Sequence[WaitingRoomRow | None]:
        rows = await waiting_rooms_of(self._database, event_ids)
        return [rows.get(event_id) for event_id in event_ids]

    async def _public_row(self, event_id: UUID) -> WaitingRoomRow:
        row = await reading(self._row(event_id))
        if row is None or row.state == EventState.DRAFT:
            raise NotFound("There is no such event.")
        return row

    # ------------------------------------------------------------ the buyer

    async def join(self, viewer: Viewer | None, event_id: UUID, *, address: str = "") -> QueueEntry:
        """Join the waiting room and return the caller's entry; a second call returns the same entry.

        Raises:
            NotFound: There is no such event.
            LimitExceeded: The caller has all the tickets that one person may have, and no entry.
            NotOnSale: The event has no waiting room to join at present.
            RateLimited: So many accounts of this network have joined that it takes an hour to order them.
            Unavailable: The waiting room is being restored, or the entry cannot be made durable.
        """
        buyer = buyer_of(viewer)
        user_id = buyer.user_id
        row = await self._public_row(event_id)
        status = event_status(row, self._clock(), sold_out=row.sold_out)
        if not row.enabled or row.seed is None or status in (EventStatus.ENDED, EventStatus.CANCELLED):
            raise NotOnSale("This event has no waiting room to join at the moment.")
        if (await self.room.standing(event_id, user_id)).outcome not in _PRESENT:
            await self._tickets.check(buyer, row)
        joined = await self._join(buyer, event_id, row.seed, address)
        if joined.outcome is Outcome.CLOSED:
            raise NotOnSale("This event has no waiting room to join at the moment.")
        if joined.outcome is Outcome.CROWDED:
            raise RateLimited("Too many accounts have joined from your network; please try again later.")
        await self._joins.record(event_id, user_id, joined)
        standing = await self.room.standing(event_id, user_id)
        if standing.outcome is Outcome.NONE:
            # Redis lost the join before it was written, and was rebuilt without it.
            raise Unavailable("The waiting room is being restored; please try again in a moment.")
        return await self.shown(event_id, user_id, standing)

    async def _join(self, buyer: Viewer, event_id: UUID, seed: bytes, address: str) -> Joined:
        entry_id = entry_id_of(event_id, buyer.user_id)
        if not self._share_points or not is_public(address):
            return await self.room.join(event_id, buyer.user_id, [drawn_place(seed, entry_id)])
        return await self.room.join(
            event_id,
            buyer.user_id,
            [drawn_place(seed, entry_id, weight_class) for weight_class in range(WEIGHT_CLASSES)],
            network=network_of(address),
            cost=_cost(buyer),
            share=self._share_points,
        )

    async def leave(self, viewer: Viewer | None, event_id: UUID) -> bool:
        """Give up the place or the admission; return False where the caller had neither.

        Raises:
            NotFound: There is no such event.
        """
        user_id = buyer_of(viewer).user_id
        row = await self._public_row(event_id)
        return row.enabled and await self.room.leave(event_id, user_id)

    async def entry(self, viewer: Viewer | None, event_id: UUID) -> QueueEntry | None:
        """Return the caller's entry; None for an account that never joined.

        Raises:
            NotFound: There is no such event.
        """
        user_id = buyer_of(viewer).user_id
        row = await self._public_row(event_id)
        if row.seed is None:
            return None
        try:
            standing = await self.room.standing(event_id, user_id)
        except Unavailable:
            if row.enabled:
                raise
            return None  # a waiting room that is over is not rebuilt
        if standing.outcome is Outcome.NONE:
            return None
        return await self.shown(event_id, user_id, standing)

    async def shown(self, event_id: UUID, user_id: UUID, standing: Standing) -> QueueEntry:
        """Return a standing as an entry, with an estimate or with the token."""
        waits = standing.outcome is Outcome.WAITING and standing.position is not None
        return self.entry_of(event_id, user_id, standing, await self.pace(event_id) if waits else None)

    def entry_of(self, event_id: UUID, user_id: UUID, standing: Standing, pace: Pace | None) -> QueueEntry:
        """Return a standing as an entry, estimated by a pace that is known already."""
        state = _STATES.get(standing.outcome, EntryState.LEFT)
        entry_id = entry_id_of(event_id, user_id)
        if state is EntryState.ADMITTED:
            expires_at = datetime.fromtimestamp(standing.expires_ms / 1000, UTC)
            admission_id = admission_id_of(user_id, standing.nonce)
            token = self._tokens.mint(event_id, user_id, admission_id, expires_at)
            return QueueEntry(entry_id, state, token=token, expires_at=expires_at)
        if state is EntryState.WAITING and standing.position is not None:
            eta = None if pace is None else eta_seconds(standing.position, pace)
            return QueueEntry(entry_id, state, standing.position, eta)
        return QueueEntry(entry_id, state)

    @staticmethod
    def waiting_entry(event_id: UUID, user_id: UUID, position: int, eta: int | None) -> QueueEntry:
        """Return the entry for a position that was computed from the messages."""
        return QueueEntry(entry_id_of(event_id, user_id), EntryState.WAITING, position, eta)

    async def pace(self, event_id: UUID) -> Pace | None:
        """Return the measurements behind an estimate, at most a second old; None while nothing is sold."""
        state = await self._state(event_id)
        return pace_of(state) if state is not None and state.selling else None

    async def counters(self) -> dict[UUID, WaitingRoomState]:
        """Return the counters of every active waiting room, without those that Redis has lost."""
        states: dict[UUID, WaitingRoomState] = {}
        for row in await self._controller.rows():
            state = await self.room.state(row.event_id)
            if state is not None:
                states[row.event_id] = state
        return states

    async def overview(self, event_id: UUID) -> Overview:
        """Return an event's waiting room, at most a second old; without Redis, what PostgreSQL says of it."""
        row = await reading(self._row(event_id))
        if row is None or row.seed is None:
            return CLOSED
        enabled = row.enabled and not row.draining
        try:
            state = await self._state(event_id) if row.enabled else None
        except Unavailable:
            state = None
        drawn = row.drawn_at is not None or (state is not None and state.drawn_ms > 0)
        phase = phase_of(
            enabled=enabled,
            drawn=drawn,
            on_sale_at=row.on_sale_at,
            now=self._clock(),
            pre_queue=timedelta(seconds=row.pre_queue_seconds),
        )
        return Overview(
            enabled=enabled,
            phase=phase,
            waiting=state.waiting if state else 0,
            admit_per_minute=row.admit_per_minute,
            pre_queue_seconds=row.pre_queue_seconds,
            commitment=self._controller.commitment(row),
            seed=self._controller.published_seed(row, drawn=drawn),
        )

    # ------------------------------------------------------------ the organiser

    async def configure(self, viewer: Viewer | None, event_id: UUID, settings: WaitingRoomSettings) -> None:
        """Switch an event's waiting room on or off, or change its rate, at any time.

        When it is switched off, the people in it are admitted at the set rate, and only they need a token.

        Raises:
            Unauthenticated, Forbidden, NotFound: As `organiser_of` and `own_event`.
        """
        organiser = organiser_of(viewer)
        row = own_event(organiser, await reading(waiting_room_of(self._database, event_id)))
        draining = not settings.enabled and row.enabled
        try:
            async with self._database.transaction() as connection:
                await set_waiting_room(
                    connection,
                    event_id,
                    asking=settings.enabled or draining,
                    draining=draining,
                    admit_per_minute=settings.admit_per_minute,
                    max_active=settings.max_active,
                    admission_seconds=settings.admission_seconds,
                    pre_queue_seconds=settings.pre_queue_seconds,
                    seed=row.seed or new_seed(),
                )
        except DATABASE_AWAY as error:
            raise Unavailable from error
        await self._controller.open(event_id)
        self.forget(event_id)

    def forget(self, event_id: UUID) -> None:
        """Invalidate an event's settings and counters."""
        self._rows.forget(event_id)
        self._states.forget(event_id)

    # ------------------------------------------------------------ the checks of ordering

    async def check(self, event_id: UUID, user_id: UUID, token: str | None) -> str | None:
        """Return the live admission of a token; None where the caller needs none.

        Called only where `events.waiting_room_enabled` is true, which it stays until the last person who
        waits is admitted.

        Raises:
            QueueTokenRequired, QueueTokenInvalid: There is no token, or not one of a live admission.
            Unavailable: Redis does not answer.
        """
        admission_id = nonce = ""
        if token:
            admission_id = self._tokens.admission_id(token, event_id, user_id, self._clock())
            nonce = holder_of(admission_id)[1]
        outcome, enabled = await self.room.check(event_id, user_id, nonce)
        if outcome is Outcome.ADMITTED:
            return admission_id
        if token:
            raise QueueTokenInvalid
        if enabled or outcome is Outcome.WAITING:
            raise QueueTokenRequired
        return None

    async def finish(self, event_id: UUID, admission_id: str) -> None:
        """End an admission whose order is booked. Safe to repeat."""
        holder, nonce = holder_of(admission_id)
        await self.room.finish(event_id, holder, nonce)


def _cost(buyer: Viewer) -> int:
    """Return the points that an account takes from its network's share; a solved challenge may lower them."""
    is_account = not buyer.is_guest and buyer.email is not None and buyer.email_verified
    return ACCOUNT_COST if is_account else GUEST_COST


def pace_of(state: WaitingRoomState) -> Pace:
    """Return the measurements of a waiting room in seconds."""
    return Pace(
        admit_per_minute=state.per_minute,
        max_active=state.max_active,
        admission_seconds=max(1, state.admission_ms // 1000),
        active=state.active,
        endings=state.endings,
        shopping_seconds=state.shopping_ms / 1000,
    )
