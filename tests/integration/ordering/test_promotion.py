"""Two real PostgreSQL servers: an asynchronous standby is promoted without acknowledged bookings."""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from db.migrate import migrate
from db.queries.lost_orders import promotion_is_unsettled
from db.queries.orders import order_by_id
from db.queries.replication import Replication, read_replication
from db.session import DATABASE_AWAY, Database
from faults.cluster.postgres_pair import PostgresPair
from payments.stripe_gateway import StripeGateway
from services.context import ServiceContext
from services.ordering.attempt import ReserveRequest
from services.ordering.expiry import expire_lapsed
from services.ordering.lost_orders import settle_promotion
from services.ordering.pay import pay
from services.ordering.reserve import reserve
from services.ordering.selection import ExactSeats
from tests.events import ManualClock, open_event, service_context_on
from tests.integration.ordering.payments import ANN, drain, held, seats, state
from workers.reconciliation import Reconciliation

DEADLINE_SECONDS = 20.0


@pytest.fixture
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresPair]:
    """A primary and its standby."""
    home: Path = tmp_path_factory.mktemp("pair")
    servers = PostgresPair(home, "a-password-of-the-tests")
    servers.start()
    yield servers
    for server in servers.servers:
        server.stop()


def url_of(pair: PostgresPair) -> str:
    return pair.url_at(pair.primary.port)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        with contextlib.suppress(*DATABASE_AWAY):
            if await condition():
                return
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def context_on(
    pair: PostgresPair, redis_url: str, gateway: StripeGateway, clock: ManualClock
) -> AsyncIterator[ServiceContext]:
    async with service_context_on(url_of(pair), redis_url, gateway, clock) as context:
        yield context


async def replication(url: str) -> Replication:
    database = Database(url)
    try:
        return await read_replication(database)
    finally:
        await database.close()


async def test_standby_is_called_synchronous_or_not_when_it_is_asked(pair: PostgresPair) -> None:
    async def waits() -> bool:
        return (await replication(url_of(pair))).waits

    async def waits_for_none() -> bool:
        return not await waits()

    await until(waits)
    found = await replication(url_of(pair))
    assert (found.standbys, found.may_lose) == (1, False)

    pair.primary.require_standby(wanted=False)
    await until(waits_for_none)

    found = await replication(url_of(pair))
    assert (found.standbys, found.may_lose) == (1, True)
    assert found.sentence.startswith("1 asynchronous")


async def test_booking_is_there_again_when_the_promoted_standby_lacks_it(
    pair: PostgresPair, redis_url: str, gateway: StripeGateway, clock: ManualClock
) -> None:
    await migrate(url_of(pair))
    pair.primary.require_standby(wanted=False)
    async with context_on(pair, redis_url, gateway, clock) as before:
        order = await held(before)
        event_id = await open_event(before.database, rows=[4])
        await settle_promotion(before)
        await until(lambda: is_replayed(before.database))
        receiver = pair.standby.receiver()
        assert receiver is not None
        receiver.send_signal(signal.SIGSTOP)
        later = await reserve(before, ANN, ReserveRequest(event_id, ExactSeats((2, 3))))
        for one in (order, later):
            await pay(before, ANN, one.id, "pm_card_visa")
        await drain(before)
        kill(pair)
        receiver.kill()
        pair.fail_over()
        async with context_on(pair, redis_url, gateway, clock) as promoted:
            after = replace(promoted, seats=before.seats)
            assert await order_by_id(after.database, later.id) is None  # lost
            assert await state(after, order.id) == ("RESERVED", None, 0, 0)
            assert await promotion_is_unsettled(after.database)
            clock.advance(seconds=481)
            assert await expire_lapsed(after) == 0

            await settle_promotion(after)
            for _ in range(2):
                await Reconciliation(after)()
            await drain(after)

            assert await state(after, order.id) == ("BOOKED", "CAPTURED", order.total_minor, 0)
            assert await state(after, later.id) == ("BOOKED", "CAPTURED", later.total_minor, 0)
            assert await seats(after, order) == b"BBAA"
            assert await seats(after, later) == b"AABB"


async def is_replayed(database: Database) -> bool:
    """Whether the standby has every commit."""
    statement = "SELECT bool_and(replay_lsn = pg_current_wal_lsn()) FROM pg_stat_replication"
    return bool(await database.fetchval(statement))


def kill(pair: PostgresPair) -> None:
    process = pair.primary.process
    assert process is not None
    process.kill()
    process.wait()
