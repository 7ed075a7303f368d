"""The clients, caches and settings that every use case works with, built once by the composition root."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeVar
from uuid import UUID

from db.queries.orders import NewOrder
from db.queries.sales import SaleRow
from db.session import DATABASE_AWAY, Connection, Database
from domain.errors import NotFound, Unavailable
from domain.layout import SeatMap
from domain.states import EventState
from domain.ticket_keys import TicketKeys
from domain.ticket_limits import NetworkLimit
from kit.cache import Cache
from kit.clock import Clock
from kit.spans import NoTracer, Tracer
from payments.gateway import PaymentGateway
from pubsub.keys import EVENTS_CHANNEL
from reservations.store import SeatStore
from services.caches import LayoutCache, SaleCache
from services.metrics import NoMeters, SaleMeters

Value = TypeVar("Value")
_MAX_PAUSES = 20_000


class AdmissionChecker(Protocol):
    """The waiting room as ordering sees it."""

    async def check(self, event_id: UUID, user_id: UUID, token: str | None) -> str | None:
        """Return the admission's id, None where none is needed.

        Raises:
            QueueTokenRequired, QueueTokenInvalid: There is no token, or not one of a live admission.
        """

    async def finish(self, event_id: UUID, admission_id: str) -> None:
        """End an admission whose order is booked."""


class OrderInserter(Protocol):
    """Writes orders with their claims; `services.ordering.order_writer` is the implementation."""

    async def place(self, order: NewOrder) -> int:
        """Write an order and return the number of its claims."""


class Publisher(Protocol):
    """Notifies every process of a change."""

    async def publish(self, channel: str, message: str) -> None:
        """Send a message. A lost message does no harm, because subscribers also poll."""


@dataclass(slots=True)
class Revision:
    """The number of event changes that this process has made or received; earlier rows are stale."""

    number: int = 0


@dataclass(frozen=True, slots=True)
class ServiceContext:
    """The clients, caches and settings of one installation."""

    database: Database
    orders: OrderInserter
    seats: SeatStore
    layouts: LayoutCache
    sales: SaleCache
    gateway: PaymentGateway
    admissions: AdmissionChecker
    publisher: Publisher
    clock: Clock
    hold_time: timedelta
    payment_time: timedelta
    public_url: str
    ticket_keys: TicketKeys
    refund_pause: timedelta = timedelta(0)
    """Between two refunds of a cancelled event"""
    network_limit: NetworkLimit = field(default_factory=NetworkLimit)
    hold_pauses: Cache[tuple[UUID, UUID], datetime] = field(
        default_factory=lambda: Cache(max_entries=_MAX_PAUSES)
    )
    """(event, person) to the end of their pause: `services.ordering.hold_pauses`"""
    revision: Revision = field(default_factory=Revision)
    meters: SaleMeters = field(default_factory=NoMeters)
    tracer: Tracer = field(default_factory=NoTracer)

    def now(self) -> datetime:
        """Return the present time in UTC."""
        return self.clock()

    async def sale(self, event_id: UUID) -> SaleRow:
        """Return the terms of an event's sale, at most a second old.

        Raises:
            NotFound: There is no such event, or it is a draft.
        """
        sale = await reading(self.sales.get(event_id))
        if sale is None or sale.state == EventState.DRAFT:
            raise NotFound("There is no such event.")
        return sale

    async def seat_map(self, version: str) -> SeatMap:
        """Return a seat map. A version never changes, so each process reads it once."""
        return await reading(self.layouts.get(version))

    async def change_event(self, event_id: UUID, write: Callable[[Connection], Awaitable[object]]) -> None:
        """Commit a change of an event and notify every process, even if the caller is cancelled meanwhile.

        Raises:
            Unavailable: The database does not answer; the change may or may not be committed.
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
        """Invalidate an event's rows, in this process at once and in the others by a message."""
        self.forget_event(event_id)
        await self.publisher.publish(EVENTS_CHANNEL, str(event_id))

    def forget_event(self, event_id: UUID) -> None:
        """Invalidate an event's rows in this process."""
        self.revision.number += 1
        self.sales.forget(event_id)


async def reading(work: Awaitable[Value]) -> Value:
    """Await a read of the database.

    Raises:
        Unavailable: The database does not answer.
    """
    try:
        return await work
    except DATABASE_AWAY as error:
        raise Unavailable from error
