"""The loops of search are led by one worker; another takes over from one that is killed or frozen."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator

from db.queries.leases import read_leaders
from db.session import Database
from tests.integration.search.conftest import KEY, Engine
from tests.integration.search.test_indexing import (
    DEADLINE_SECONDS,
    add_many,
    are_equal,
    indexed,
    indexing,
    is_half_done,
    is_ready,
    is_rebuilding,
    kill_engine,
)
from tests.integration.search.waiting import until
from workers.indexing import DELIVERING, RECORDING


@contextlib.contextmanager
def indexer_process(postgres_url: str, engine: Engine) -> Iterator[subprocess.Popen[bytes]]:
    """A separate worker process, killed with signal 9 at the end."""
    arguments = [postgres_url, engine.server.url(), KEY, engine.administration.uid]
    process = subprocess.Popen([sys.executable, "-m", "tests.integration.search.indexer_process", *arguments])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def test_nothing_lost_when_the_worker_is_killed_in_a_batch(
    database: Database, engine: Engine, postgres_url: str
) -> None:
    with indexer_process(postgres_url, engine) as leader:
        await until(lambda: is_ready(database), DEADLINE_SECONDS)
        with indexer_process(postgres_url, engine):
            await add_many(database, 3000)
            await until(lambda: is_half_done(database), DEADLINE_SECONDS)
            leader.kill()
            leader.wait()
            await database.fetch("UPDATE events SET name = '새 이름' WHERE name = '공연 7'")
            await until(lambda: _has_new_leader(database), 10.0)
            await until(lambda: are_equal(engine, database), DEADLINE_SECONDS)
    assert "새 이름" in (await indexed(engine)).values()


async def _has_new_leader(database: Database) -> bool:
    """Both loops are led."""
    leaders = await read_leaders(database)
    return {RECORDING, DELIVERING} <= {leader.name for leader in leaders if leader.held_seconds < 2.0}


async def test_another_worker_indexes_within_ten_seconds_when_the_leader_is_frozen(
    database: Database, engine: Engine, postgres_url: str
) -> None:
    with indexer_process(postgres_url, engine) as leader:
        await until(lambda: is_ready(database), DEADLINE_SECONDS)
        with indexer_process(postgres_url, engine):
            await add_many(database, 3000)
            await until(lambda: is_half_done(database), DEADLINE_SECONDS)
            leader.send_signal(signal.SIGSTOP)
            await until(lambda: _has_new_leader(database), 10.0)
            await until(lambda: are_equal(engine, database), DEADLINE_SECONDS)
            leader.send_signal(signal.SIGCONT)
            await database.fetch("UPDATE events SET name = '새 이름' WHERE name = '공연 7'")
            await until(lambda: are_equal(engine, database), DEADLINE_SECONDS)
    assert "새 이름" in (await indexed(engine)).values()


async def test_nothing_lost_when_worker_and_engine_are_killed_in_a_rebuild(
    database: Database, engine: Engine, postgres_url: str
) -> None:
    await add_many(database, 5000)
    with indexer_process(postgres_url, engine) as worker:
        await until(lambda: is_rebuilding(database), DEADLINE_SECONDS)
        worker.kill()
        worker.wait()
    kill_engine(engine)
    await database.fetch("UPDATE events SET name = '새 이름' WHERE name = '공연 7'")
    engine.server.start()
    async with indexing(database, engine):
        await until(lambda: are_equal(engine, database), 40.0)
        assert not await is_rebuilding(database)
