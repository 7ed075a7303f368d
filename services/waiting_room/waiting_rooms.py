"""The waiting room's use cases: join, leave, look, configure, and what ordering asks of it."""

import ipaddress
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
from services.context import reading
from services.identity.authorisation import buyer_of, organiser_of, own_event
from services.waiting_room.admission_controller import AdmissionController
from services.waiting_room.join_writer import JoinWriter
from services.waiting_room.queue_tokens import QueueTokens, admission_id_of, holder_of
from waiting_room.outcomes import Outcome, Standing, WaitingRoomState
from waiting_room.store import ACCOUNTS_PER_ADDRESS, WaitingRoomStore

_CACHED_SECONDS = 1.0
_MAX_CACHED = 4_096
_STATES = {
    Outcome.WAITING: EntryState.WAITING,
    Outcome.ADMITTED: EntryState.ADMITTED,
    Outcome.EXPIRED: EntryState.EXPIRED,
    Outcome.LEFT: EntryState.LEFT,
}


@dataclass(frozen=True, slots=True)
class Overview:
    """An event's line as everyone may see it."""

    enabled: bool
    phase: Phase
    waiting: int
    admit_per_minute: int
    pre_queue_seconds: int = WaitingRoomSettings(enabled=False).pre_queue_seconds
    commitment: str | None = None
    seed: str | None = None


CLOSED = Overview(enabled=False, phase=Phase.CLOSED, waiting=0, admit_per_minute=600)


@dataclass(frozen=True, slots=True)
class Entry:
    """Where one account stands; `token` and `expires_at` are there while it is admitted."""

    entry_id: UUID
    state: EntryState
    position: int | None = None
    eta_seconds: int | None = None
    token: str | None = None
    expires_at: datetime | None = None

    @property
    def ahead(self) -> int | None:
        """People who are let in before."""
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
        accounts_per_address: int = ACCOUNTS_PER_ADDRESS,
    ) -> None:
        self.room = room
        self._database = database
        self._tokens = tokens
        self._controller = controller
        self._clock = clock
        self._joins = JoinWriter(database)
        self._accounts_per_address = accounts_per_address
        # A page of events asks for all its lines in one statement.
        self._row_reads = Batcher[UUID, WaitingRoomRow | None](self._load_rows, most=500)
        self._rows: Cache[UUID, WaitingRoomRow | None] = Cache(
            max_entries=_MAX_CACHED, ttl_seconds=_CACHED_SECONDS
        )
        self._states: Cache[UUID, WaitingRoomState | None] = Cache(
            max_entries=_MAX_CACHED, ttl_seconds=_CACHED_SECONDS
        )

    async def _row(self, event_id: UUID) -> WaitingRoomRow | None:
        return await self._rows.get_or_load(event_id, self._row_reads.ask)

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

    # ------------------------------------------------------------ the line

    async def join(self, viewer: Viewer | None, event_id: UUID, *, address: str = "") -> Entry:
        """The caller's one place in the line, new or as it was.

        Raises:
            NotFound: there is no such event.
            NotOnSale: it has no line to join now.
            RateLimited: this address has brought many accounts in a short time.
            Unavailable: the line is being restored, or the place cannot be made durable.
        """
        user_id = buyer_of(viewer).user_id
        row = await self._public_row(event_id)
        status = event_status(row, self._clock(), sold_out=row.sold_out)
        if not row.enabled or row.seed is None or status in (EventStatus.ENDED, EventStatus.CANCELLED):
            raise NotOnSale("This event has no waiting room to join at the moment.")
        place = drawn_place(row.seed, entry_id_of(event_id, user_id))
        limit = self._accounts_per_address if _is_foreign(address) else 0
        joined = await self.room.join(
            event_id, user_id, place, address=_network_of(address) if limit else "", most=limit
        )
        if joined.outcome is Outcome.CLOSED:
            raise NotOnSale("This event has no waiting room to join at the moment.")
        if joined.outcome is Outcome.CROWDED:
            raise RateLimited("Too many accounts have joined from your network; please try again later.")
        await self._joins.record(event_id, user_id, joined)
        standing = await self.room.standing(event_id, user_id)
        if standing.outcome is Outcome.NONE:
            # Redis lost the join before it was recorded, and the rebuild came in between: nothing was told.
            raise Unavailable("The waiting room is being restored; please try again in a moment.")
        return await self.shown(event_id, user_id, standing)

    async def leave(self, viewer: Viewer | None, event_id: UUID) -> bool:
        """Give up the place in the line, or the admission. False where there was neither.

        Raises:
            NotFound: there is no such event.
        """
        user_id = buyer_of(viewer).user_id
        row = await self._public_row(event_id)
        return row.enabled and await self.room.leave(event_id, user_id)

    async def entry(self, viewer: Viewer | None, event_id: UUID) -> Entry | None:
        """Where the caller stands; None for someone who never joined.

        Raises:
            NotFound: there is no such event.
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
            return None  # a line that is over and lost is not rebuilt
        if standing.outcome is Outcome.NONE:
            return None
        return await self.shown(event_id, user_id, standing)

    async def shown(self, event_id: UUID, user_id: UUID, standing: Standing) -> Entry:
        """A standing as its owner is shown it: with an estimate, or with the token."""
        waits = standing.outcome is Outcome.WAITING and standing.position is not None
        return self.entry_of(event_id, user_id, standing, await self.pace(event_id) if waits else None)

    def entry_of(self, event_id: UUID, user_id: UUID, standing: Standing, pace: Pace | None) -> Entry:
        """The same, estimated by a pace that is known already."""
        state = _STATES.get(standing.outcome, EntryState.LEFT)
        entry_id = entry_id_of(event_id, user_id)
        if state is EntryState.ADMITTED:
            expires_at = datetime.fromtimestamp(standing.expires_ms / 1000, UTC)
            admission_id = admission_id_of(user_id, standing.nonce)
            token = self._tokens.mint(event_id, user_id, admission_id, expires_at)
            return Entry(entry_id, state, token=token, expires_at=expires_at)
        if state is EntryState.WAITING and standing.position is not None:
            eta = None if pace is None else eta_seconds(standing.position, pace)
            return Entry(entry_id, state, standing.position, eta)
        return Entry(entry_id, state)

    @staticmethod
    def waiting_entry(event_id: UUID, user_id: UUID, position: int, eta: int | None) -> Entry:
        """The entry of someone whose position was worked out from the ticks."""
        return Entry(entry_id_of(event_id, user_id), EntryState.WAITING, position, eta)

    async def pace(self, event_id: UUID) -> Pace | None:
        """What an estimate rests on, at most a second old; None while nothing is known or nothing sold."""
        state = await self._state(event_id)
        return pace_of(state) if state is not None and state.selling else None

    async def counters(self) -> dict[UUID, WaitingRoomState]:
        """The counters of every line that is switched on, for operators; a line that is away is left out."""
        states: dict[UUID, WaitingRoomState] = {}
        for row in await self._controller.rows():
            state = await self.room.state(row.event_id)
            if state is not None:
                states[row.event_id] = state
        return states

    async def overview(self, event_id: UUID) -> Overview:
        """An event's line, at most a second old; a line that is away shows what is certain."""
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
        """Switch an event's line on or off or change its pace, with people in it or not.

        Switched off, those who wait are let through at the set pace, and only they still need a token.

        Raises:
            Unauthenticated, Forbidden: not this event's organiser.
            NotFound: there is no such event.
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
        """Read an event's settings afresh."""
        self._rows.forget(event_id)
        self._states.forget(event_id)

    # ------------------------------------------------------------ what ordering asks

    async def check(self, event_id: UUID, user_id: UUID, token: str | None) -> str | None:
        """The live admission behind a token. None: the room is off, and the caller was not in line.

        Only asked where `events.waiting_room_enabled` is true, which it stays while a line empties.

        Raises:
            QueueTokenRequired, QueueTokenInvalid: there is no token, or not a live one.
            Unavailable: Redis cannot say.
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

    async def still_admitted(self, event_id: UUID, user_id: UUID, admission_id: str) -> bool:
        """Whether an admission is live. Raises: Unavailable: Redis cannot say."""
        holder, nonce = holder_of(admission_id)
        if holder != user_id or not nonce:
            return False
        outcome, _ = await self.room.check(event_id, user_id, nonce)
        return outcome is Outcome.ADMITTED

    async def finish(self, event_id: UUID, admission_id: str) -> None:
        """Free the place of an admission whose order is booked; doing it twice is harmless."""
        holder, nonce = holder_of(admission_id)
        await self.room.finish(event_id, holder, nonce)


def pace_of(state: WaitingRoomState) -> Pace:
    """The measurements of a line in seconds."""
    return Pace(
        admit_per_minute=state.per_minute,
        max_active=state.max_active,
        admission_seconds=max(1, state.admission_ms // 1000),
        active=state.active,
        endings=state.endings,
        shopping_seconds=state.shopping_ms / 1000,
    )


def _is_foreign(address: str) -> bool:
    """Whether an address can be a buyer's: one that is not public is a proxy's, with everyone behind it."""
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False


def _network_of(address: str) -> str:
    """What one household or context is behind: an IPv4 address, the first 64 bits of an IPv6 one."""
    parsed = ipaddress.ip_address(address)
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network(f"{parsed}/64", strict=False))
