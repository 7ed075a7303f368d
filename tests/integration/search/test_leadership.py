"""Who leads a loop goes on leading, or another does, whatever becomes of the session."""

import asyncio

from db.session import Database, is_lost
from workers.indexing import Leadership

LOCK = 0x7E57
DEADLINE_SECONDS = 10


async def test_it_leads_again_when_the_server_has_ended_its_session_meanwhile(postgres_url: str) -> None:
    database, administrator = Database(postgres_url), Database(postgres_url)
    leadership = Leadership(database, LOCK)
    first = await leadership.connection()
    assert first is not None
    session = await first.fetchval("SELECT pg_backend_pid()")

    await administrator.fetchval("SELECT pg_terminate_backend($1)", session)
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not is_lost(first):
            await asyncio.sleep(0.01)
        while (second := await leadership.connection()) is None:
            await asyncio.sleep(0.01)

    assert await second.fetchval("SELECT pg_backend_pid()") != session
    await leadership.resign()
    await database.close()
    await administrator.close()


async def test_nobody_else_leads_when_the_session_lives(postgres_url: str) -> None:
    database = Database(postgres_url)
    leader, other = Leadership(database, LOCK), Leadership(database, LOCK)
    assert await leader.connection() is not None

    assert await other.connection() is None

    await leader.resign()
    assert await other.connection() is not None
    await other.resign()
    await database.close()
