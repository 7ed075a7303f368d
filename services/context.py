"""What every use case works with, built once by the composition root."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from db.queries.sales import SaleRow, sale_by_event
from db.session import DATABASE_AWAY, Connection, Database
from domain.channels import EVENTS_CHANNEL
from domain.errors import Forbidden, NotFound, Unauthenticated, Unavailable
from domain.layout import SeatMap
from domain.states import EventState
from domain.viewer import Viewer
from kit.clock import Clock
from kit.spans import NoTracer, Tracer
from payments.gateway import PaymentGateway
from reservations.store import SeatStore
from services.layouts import LayoutCache
from services.metrics import NoMeters, SaleMeters
from services.ordering.order_writer import OrderDesk

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class AdmissionGate(Protocol):
    """The waiting room, as ordering sees it."""

    async def check(self, event_id: UUID, user_id: UUID, token: str | None) -> str | None:
        """The admission's id, None where none is needed; raises QueueTokenRequired or QueueTokenInvalid."""

    async def still_admitted(self, event_id: UUID, user_id: UUID, admission_id: str) -> bool:
        """Whether an admission is live."""

    async def finish(self, event_id: UUID, admission_id: str) -> None:
        """Free the place of an admission whose order is booked."""


class Announcer(Protocol):
    """Tells every process that something has changed; it carries no data."""

    async def publish(self, channel: str, message: str) -> None:
        """Lost without harm: who listens also looks from time to time."""


class Cache(Generic[Key, Value]):
    """A bounded cache with an age limit; simultaneous misses of one key load it once."""

    def __init__(
        self, load: Callable[[Key], Awaitable[Value]], *, most: int, max_age_seconds: float | None = None
    ) -> None:
        self._load = load
        self._most = most
        self._max_age_seconds = max_age_seconds
        self._entries: OrderedDict[Key, tuple[float, Value]] = OrderedDict()
        self._loading: dict[Key, asyncio.Task[Value]] = {}

    async def get(self, key: Key) -> Value:
        """The value, at most `max_age_seconds` old."""
        entry = self._entries.get(key)
        if entry and (self._max_age_seconds is None or entry[0] + self._max_age_seconds > time.monotonic()):
            return entry[1]
        task = self._loading.get(key)
        if task is None:
            task = self._loading[key] = asyncio.ensure_future(self._load_one(key))
        return await asyncio.shield(task)

    def forget(self, key: Key) -> None:
        """Load it afresh the next time; what is being loaded at this moment may be old already."""
        self._entries.pop(key, None)
        self._loading.pop(key, None)

    async def _load_one(self, key: Key) -> Value:
        task = asyncio.current_task()
        try:
            value = await self._load(key)
        finally:
            is_current = self._loading.get(key) is task
            if is_current:
                del self._loading[key]
        if not is_current:
            return value
        self._entries[key] = (time.monotonic(), value)
        self._entries.move_to_end(key)
        if len(self._entries) > self._most:
            self._entries.popitem(last=False)
        return value


@dataclass(slots=True)
class Revision:
    """Counts the changes of events that this process has made or heard of: answers from before are old."""

    number: int = 0


@dataclass(frozen=True, slots=True)
class Office:
    """The clients, the caches and the rules of one installation."""

    database: Database
    desk: OrderDesk
    seats: SeatStore
    layouts: LayoutCache
    sales: Cache[UUID, SaleRow | None]
    gateway: PaymentGateway
    gate: AdmissionGate
    announcer: Announcer
    clock: Clock
    hold_time: timedelta
    payment_time: timedelta
    public_url: str
    revision: Revision = field(default_factory=Revision)
    meters: SaleMeters = field(default_factory=NoMeters)
    tracer: Tracer = field(default_factory=NoTracer)

    def now(self) -> datetime:
        """The present, in UTC."""
        return self.clock()

    async def sale(self, event_id: UUID) -> SaleRow:
        """The terms of an event's sale, at most a second old.

        Raises:
            NotFound: there is no such event, or it is a draft.
        """
        sale = await reading(self.sales.get(event_id))
        if sale is None or sale.state == EventState.DRAFT:
            raise NotFound("There is no such event.")
        return sale

    async def change_event(self, event_id: UUID, write: Callable[[Connection], Awaitable[object]]) -> None:
        """Commit a change of an event, and have every process read it afresh, whoever hangs up meanwhile.

        Raises:
            Unavailable: the database is away; whether it has been committed nobody knows.
        """
        await asyncio.shield(self._change_event(event_id, write))

    async def _change_event(self, event_id: UUID, write: Callable[[Connection], Awaitable[object]]) -> None:
        try:
            async with self.database.transaction() as connection:
                await write(connection)
        except DATABASE_AWAY as error:
            raise Unavailable from error
        finally:
            await self.event_changed(event_id)

    async def event_changed(self, event_id: UUID) -> None:
        """Have every process read an event afresh: this one from now on, the others in a moment."""
        self.forget_event(event_id)
        await self.announcer.publish(EVENTS_CHANNEL, str(event_id))

    def forget_event(self, event_id: UUID) -> None:
        """Read an event afresh in this process."""
        self.revision.number += 1
        self.sales.forget(event_id)

    async def seat_map(self, version: str) -> SeatMap:
        """A seat map; never changes, so it is read once a process."""
        return await reading(self.layouts.get(version))

    async def own_sale(self, viewer: Viewer | None, event_id: UUID) -> SaleRow:
        """The terms of the organiser's own event, as they are now.

        Raises:
            Unauthenticated, Forbidden: without the scope, or for another organiser's event.
            NotFound: there is no such event, or it is another's draft.
        """
        organiser = organiser_of(viewer)
        sale = await reading(sale_by_event(self.database, event_id))
        if sale is None:
            raise NotFound("There is no such event.")
        if sale.organiser_id != organiser.user_id:
            if sale.state == EventState.DRAFT:
                raise NotFound("There is no such event.")
            raise Forbidden("This event is another organiser's.")
        return sale


def buyer_of(viewer: Viewer | None) -> Viewer:
    """The viewer, if they may buy.

    Raises:
        Unauthenticated, Forbidden: nobody is signed in, or the token lacks the scope.
    """
    return _with_scope(viewer, "buy")


def organiser_of(viewer: Viewer | None) -> Viewer:
    """The viewer, if they may organise.

    Raises:
        Unauthenticated, Forbidden: nobody is signed in, or the token lacks the scope.
    """
    return _with_scope(viewer, "organise")


def _with_scope(viewer: Viewer | None, scope: str) -> Viewer:
    if viewer is None:
        raise Unauthenticated
    if scope not in viewer.scopes:
        raise Forbidden(f"This needs a token with the scope {scope!r}.")
    return viewer


async def reading(work: Awaitable[Value]) -> Value:
    """Wait for a read; a database that is away becomes `Unavailable`."""
    try:
        return await work
    except DATABASE_AWAY as error:
        raise Unavailable from error


def sale_cache(database: Database, *, most: int = 4096) -> Cache[UUID, SaleRow | None]:
    """The terms of sales, at most a second old."""

    async def load(event_id: UUID) -> SaleRow | None:
        return await sale_by_event(database, event_id)

    return Cache(load, most=most, max_age_seconds=1.0)
