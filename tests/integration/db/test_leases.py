"""One process leads; who is frozen loses that, and writes nothing more when it wakes."""

import asyncio
import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from db.leadership import Leadership
from db.queries.leases import LEASE_SECONDS, LeaseLost, fenced, read_leaders, take_lease
from db.session import Connection, Database, while_alive
from tests.integration.db.lease_holder import WORK

TAKEN_OVER_SECONDS = 10.0


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    """A fresh migrated database."""
    own = Database(postgres_url)
    yield own
    await own.close()


@contextlib.contextmanager
def holder(url: str, mode: str) -> Iterator[subprocess.Popen[str]]:
    """A process that leads."""
    words = [sys.executable, "-m", "tests.integration.db.lease_holder", url, mode]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "leads\n"
            yield process
        finally:
            process.kill()


async def taken_over(leadership: Leadership) -> float:
    """Wait until this process leads; returns the seconds that it took."""
    began = time.monotonic()
    while await leadership.lease() is None:
        assert time.monotonic() < began + TAKEN_OVER_SECONDS, "nobody took over in time"
        await asyncio.sleep(0.05)
    return time.monotonic() - began


async def frozen_and_woken(url: str, mode: str, database: Database) -> str:
    """What becomes of the write of a leader that was frozen before it, until another one led and wrote."""
    with holder(url, mode) as process:
        process.send_signal(signal.SIGSTOP)
        successor = Leadership(database, WORK, "successor")
        await taken_over(successor)
        lease = await successor.lease()
        assert lease is not None
        async with database.connection() as connection, fenced(connection, lease):
            await connection.execute("INSERT INTO sweep_marks VALUES ('successor', now())")
        process.send_signal(signal.SIGCONT)
        said, _ = await asyncio.to_thread(process.communicate, "write\n")
        await successor.resign()
    return said.strip()


async def marks(database: Database) -> list[str]:
    return [row["name"] for row in await database.fetch("SELECT name FROM sweep_marks ORDER BY name")]


async def test_write_is_refused_when_its_leader_was_frozen_and_another_leads(
    postgres_url: str, database: Database
) -> None:
    assert await frozen_and_woken(postgres_url, "fenced", database) == "refused"
    assert await marks(database) == ["successor"]


async def test_two_leaders_write_when_there_is_no_fence(postgres_url: str, database: Database) -> None:
    """The control: without `check_lease` the woken leader writes beside the new one."""
    assert await frozen_and_woken(postgres_url, "unfenced", database) == "written"
    assert await marks(database) == ["frozen", "successor"]


async def test_another_leads_within_ten_seconds_when_the_leader_is_killed(
    postgres_url: str, database: Database
) -> None:
    with holder(postgres_url, "fenced"):
        assert [leader.holder for leader in await read_leaders(database)] == ["holder"]
    successor = Leadership(database, WORK, "successor")

    assert await taken_over(successor) > LEASE_SECONDS / 2

    assert [leader.holder for leader in await read_leaders(database)] == ["successor"]
    await successor.resign()


async def test_another_leads_at_once_when_the_leader_resigns(database: Database) -> None:
    leader, other = Leadership(database, WORK), Leadership(database, WORK)
    first = await leader.lease()
    assert first is not None
    assert await other.lease() is None

    await leader.resign()

    assert await read_leaders(database) == []
    assert await taken_over(other) < LEASE_SECONDS / 2
    second = await other.lease()
    assert second is not None
    assert second.token == first.token + 1
    await other.resign()


async def test_leadership_lasts_when_it_is_renewed(database: Database) -> None:
    leader = Leadership(database, WORK)
    lease = await leader.lease()
    assert lease is not None

    ends = time.monotonic() + LEASE_SECONDS + 1.0
    while time.monotonic() < ends:
        assert await take_lease(database, WORK, "other") is None
        await asyncio.sleep(0.5)

    assert await leader.lease() == lease
    await leader.resign()


async def test_nobody_takes_the_lease_when_a_fenced_transaction_is_about_to_commit(
    database: Database,
) -> None:
    lease = await take_lease(database, WORK, "leader")
    assert lease is not None
    await database.fetchval("UPDATE leases SET until = now() - interval '1 second' RETURNING true")
    async with database.transaction() as connection:
        async with fenced(connection, lease):
            await connection.execute("INSERT INTO sweep_marks VALUES ('leader', now())")
        taking = asyncio.create_task(take_lease(database, WORK, "other"))
        await waits_for_a_lock(database)
        assert not taking.done()
    assert await taking is not None
    assert await marks(database) == ["leader"]


async def test_lease_is_lost_when_a_promoted_standby_gave_the_same_token_to_another(
    database: Database,
) -> None:
    mine = await take_lease(database, WORK, "mine")
    assert mine is not None
    await database.fetchval("DELETE FROM leases RETURNING true")  # the standby did not have the row yet
    others = await take_lease(database, WORK, "other")
    assert others is not None
    assert others.token == mine.token

    with pytest.raises(LeaseLost):
        async with database.connection() as connection, fenced(connection, mine):
            await connection.execute("INSERT INTO sweep_marks VALUES ('mine', now())")

    assert await marks(database) == []


async def test_long_transaction_lives_when_its_process_does(database: Database) -> None:
    async def work(connection: Connection, awaited: Callable[[Connection], Awaitable[None]]) -> int:
        async with connection.transaction():
            await connection.execute("SET LOCAL idle_in_transaction_session_timeout = '2s'")
            await awaited(connection)
            number: int = await connection.fetchval("SELECT 1")
            return number

    async with database.connection() as connection:
        assert await work(connection, lambda it: while_alive(it, asyncio.sleep(4.0))) == 1
    with pytest.raises(Exception, match=r"idle-in-transaction|connection"):
        async with database.connection() as connection:
            await work(connection, lambda _: asyncio.sleep(4.0))


async def waits_for_a_lock(database: Database) -> None:
    statement = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    deadline = time.monotonic() + TAKEN_OVER_SECONDS
    while not await database.fetchval(statement):
        assert time.monotonic() < deadline, "nobody waits for a lock"
        await asyncio.sleep(0.02)
