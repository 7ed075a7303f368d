"""PgBouncer in transaction mode: time limits hold, nothing stays on a session, leases and LISTEN work."""

import asyncio
import os
import re
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from db.leadership import Leadership
from db.migrate import migrate
from db.queries.leases import read_leaders
from db.session import TIME_LIMITS, Database
from devservices.ports import HOST, free_port, is_listening

FIRST_VERSION = (1, 21)  # the first that knows the driver's prepared statements in transaction mode
DEADLINE_SECONDS = 10.0


def pgbouncer() -> str:
    """The program: of the variable PGBOUNCER, or on the path."""
    found = os.environ.get("PGBOUNCER") or shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")
    if found is None:
        pytest.skip("there is no pgbouncer: name one with PGBOUNCER")
    text = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"PgBouncer (\d+)\.(\d+)", text)
    if version is None or (int(version[1]), int(version[2])) < FIRST_VERSION:
        pytest.skip(f"{text.split(chr(10))[0]} is older than 1.21: name another one with PGBOUNCER")
    return found


@pytest.fixture
def pooler_url(postgres_url: str, tmp_path: Path) -> Iterator[str]:
    """The address of a PgBouncer in transaction mode with two sessions, before a fresh database."""
    program, server, port = pgbouncer(), urlsplit(postgres_url), free_port()
    (tmp_path / "users.txt").write_text(f'"{server.username}" "{server.password}"\n')
    name = server.path.lstrip("/")
    (tmp_path / "pgbouncer.ini").write_text(
        f"[databases]\n{name} = host={server.hostname} port={server.port} dbname={name}\n"
        f"[pgbouncer]\nlisten_addr = {HOST}\nlisten_port = {port}\nauth_type = scram-sha-256\n"
        f"auth_file = {tmp_path / 'users.txt'}\npool_mode = transaction\ndefault_pool_size = 2\n"
        "max_prepared_statements = 200\nunix_socket_dir =\n"
    )
    for path in (tmp_path, *tmp_path.parents):
        if os.geteuid() == 0 and path.is_relative_to("/tmp") and path != Path("/tmp"):
            path.chmod(0o755)
    as_user = ["-u", "nobody"] if os.geteuid() == 0 else []
    log = (tmp_path / "log").open("w")
    process = subprocess.Popen([program, *as_user, str(tmp_path / "pgbouncer.ini")], stderr=log)
    log.close()
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not is_listening(port):
        assert process.poll() is None and time.monotonic() < deadline, (tmp_path / "log").read_text()
        time.sleep(0.05)
    yield f"postgresql://{server.username}:{server.password}@{HOST}:{port}/{name}"
    process.terminate()
    process.wait()


@pytest.fixture
async def pooled(pooler_url: str, postgres_url: str) -> AsyncIterator[Database]:
    """The database behind the pooler, after `migrate`."""
    await migrate(postgres_url, has_pooler=True)
    own = Database(pooler_url, direct_url=postgres_url)
    yield own
    await own.close()


async def test_time_limits_hold_when_the_sessions_are_a_poolers(pooled: Database) -> None:
    for name, milliseconds in TIME_LIMITS.items():
        shown = await pooled.fetchval("SELECT setting FROM pg_settings WHERE name = $1", name)
        assert (name, shown) == (name, milliseconds)
    with pytest.raises(asyncpg.QueryCanceledError):
        async with pooled.connection() as connection:
            await connection.execute("SELECT pg_sleep(20)", timeout=30)


async def test_pooler_is_refused_when_limits_are_sent_at_the_start_of_a_session(pooler_url: str) -> None:
    """The control: without DATABASE_DIRECT_URL the limits are startup parameters, which it does not know."""
    own = Database(pooler_url)
    with pytest.raises(asyncpg.PostgresError, match="unsupported startup parameter"):
        await own.fetchval("SELECT 1")
    await own.close()


async def test_many_statements_run_when_two_sessions_serve_ten_clients(pooled: Database) -> None:
    async def work(number: int) -> int:
        async with pooled.transaction() as connection:
            await connection.execute("SELECT set_config('application_name', 'x', true)")
            found: int = await connection.fetchval(f"SELECT $1::int + {number % 7}", number)
        return found + int(await pooled.fetchval("SELECT $1::int", number))

    found = await asyncio.gather(*map(work, range(200)))

    assert found == [2 * number + number % 7 for number in range(200)]


async def test_one_process_leads_when_leases_are_taken_through_the_pooler(pooled: Database) -> None:
    leader, other = Leadership(pooled, "tests", "a"), Leadership(pooled, "tests", "b")
    assert await leader.lease() is not None
    assert await other.lease() is None
    assert [each.holder for each in await read_leaders(pooled)] == ["a"]

    await leader.resign()

    locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1"
    assert await pooled.fetchval(locks) == 0
    await asyncio.sleep(0.6)
    assert await other.lease() is not None
    await other.resign()


async def test_a_commit_is_heard_when_listening_goes_past_the_pooler(pooled: Database) -> None:
    heard = asyncio.Event()
    listening = asyncio.create_task(pooled.listen("tests", heard.set))
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not heard.is_set():
                await pooled.fetchval("SELECT pg_notify('tests', '')")
                await asyncio.sleep(0.1)
    finally:
        listening.cancel()
