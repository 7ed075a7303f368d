"""Writes the orders of many buyers in batches: one statement and one commit a batch."""

from collections.abc import Sequence

from db.queries.orders import NewOrder, place_orders
from db.queries.releases import releases_before
from db.session import DATABASE_AWAY, Connection, Database, Deadlock
from db.violations import LimitReached, Paused, PlaceTaken, ReferenceTaken, UniqueViolation
from domain.errors import Unavailable
from domain.hold_pauses import RELEASES_WINDOW, paused_until
from kit.batcher import Batcher

# A second statement runs while the commit of the first waits for the disk. More of them would only make the
# batches smaller, and PostgreSQL pays for their number.
_MAX_CONCURRENT = 2
_MAX_BATCH = 64
# What one order of a batch causes, and the others must not suffer from.
_OF_ONE_ORDER: tuple[type[Exception], ...] = (PlaceTaken, ReferenceTaken, UniqueViolation, Deadlock)


class OrderWriter:
    """Writes orders with their claims; the unique index over live claims decides."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._orders = Batcher[NewOrder, int](
            self._write, max_batch=_MAX_BATCH, max_concurrent=_MAX_CONCURRENT
        )

    async def place(self, order: NewOrder) -> int:
        """Write an order; return the number of its claims, 0 where it exists or its event is not on sale.

        Raises:
            Paused: Its buyer has released orders of the event too often.
            LimitReached: Its buyer or the buyer's network would have too many tickets.
            PlaceTaken: One of its places has another live claim.
            ReferenceTaken: another order has its reference.
            Unavailable: The database does not answer, and nothing was written.
            DATABASE_AWAY: The connection was cut, and the order may have been written.
        """
        return await self._orders.submit(order)

    async def _write(self, orders: Sequence[NewOrder]) -> Sequence[int | Exception]:
        answers: Sequence[int | Exception] | None = None
        try:
            async with self._database.connection() as connection:
                answers = await _without_paused(connection, orders)
        except DATABASE_AWAY as error:
            # A connection that breaks when it is returned says nothing about the written orders.
            if answers is None:
                raise Unavailable from error
        return answers


async def _without_paused(connection: Connection, orders: Sequence[NewOrder]) -> Sequence[int | Exception]:
    """Write the orders whose buyers need not wait; the others have Paused instead."""
    try:
        pauses = await _pauses(connection, orders)
    except DATABASE_AWAY as error:
        raise Unavailable from error
    allowed = [order for order, pause in zip(orders, pauses, strict=True) if pause is None]
    written = iter(await _together(connection, allowed) if allowed else ())
    return [pause or next(written) for pause in pauses]


async def _pauses(connection: Connection, orders: Sequence[NewOrder]) -> list[Paused | None]:
    now = max(order.row.created_at for order in orders)
    found = await releases_before(connection, orders, now - RELEASES_WINDOW, now)
    ends = [paused_until(releases.count, releases.latest) for releases in found]
    return [Paused(until) if until is not None and until > now else None for until in ends]


async def _together(connection: Connection, orders: Sequence[NewOrder]) -> Sequence[int | Exception]:
    """Write all orders in one statement, or each in its own where one of them fails."""
    try:
        written = await place_orders(connection, orders)
        if len(orders) == 1:
            return written
        return [await _again(connection, *each) for each in zip(orders, written, strict=True)]
    except _OF_ONE_ORDER as error:
        if len(orders) == 1:
            return [error]
        return [await _alone(connection, order) for order in orders]
    except DATABASE_AWAY as error:
        return [error] * len(orders)


async def _again(connection: Connection, order: NewOrder, written: int | Exception) -> int | Exception:
    """Judge an order that a limit refused once more, without the other orders of its statement."""
    return await _alone(connection, order) if isinstance(written, LimitReached) else written


async def _alone(connection: Connection, order: NewOrder) -> int | Exception:
    try:
        return (await place_orders(connection, [order]))[0]
    except (*_OF_ONE_ORDER, *DATABASE_AWAY) as error:
        return error
