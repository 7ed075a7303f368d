"""The index follows the database, inserts and deletes, also when processes are killed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from db.session import Database
from domain.ids import Kind, public_id
from search.administration import MeilisearchAdministration
from search.meilisearch import MeilisearchIndex
from services.search.deliver_changes import index_standing
from services.search.find_events import SearchQuestion, venues_around
from services.search.rebuild_index import Progress, ReindexRunning, rebuild
from services.search.record_documents import record_changes
from tests.integration.search.catalogue import add_event, add_performer, add_venue
from tests.integration.search.conftest import KEY, Engine, search_on
from tests.integration.search.waiting import until
from workers.indexing import indexing_loops

DEADLINE_SECONDS = 20.0


@contextlib.asynccontextmanager
async def indexing(database: Database, engine: Engine) -> AsyncIterator[None]:
    """A worker's loops, in this process."""
    loops = indexing_loops(database, engine.administration)
    tasks = [asyncio.create_task(loop.run()) for loop in loops]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(loop.at_end() for loop in loops))


async def indexed(engine: Engine) -> dict[str, str]:
    """The names in the index by id."""

    def read() -> dict[str, str]:
        found = engine.administration._client.index(engine.administration.uid).get_documents(
            {"limit": 100_000, "fields": ["id", "name"]}
        )
        return {document.id: document.name for document in found.results}

    try:
        return await asyncio.to_thread(read)
    except Exception:  # not built, or being swapped
        return {}


async def published(database: Database) -> dict[str, str]:
    """The names in the database by public id."""
    rows = await database.fetch("SELECT id, name FROM events WHERE state = 'PUBLISHED'")
    return {public_id(Kind.EVENT, row["id"]): row["name"] for row in rows}


async def are_equal(engine: Engine, database: Database) -> bool:
    """Whether the index equals the database and no change is pending."""
    waiting = await database.fetchval("SELECT count(*) FROM search_outbox")
    return not waiting and await indexed(engine) == await published(database)


async def found_names(database: Database, engine: Engine, keyword: str) -> list[str]:
    """The names that a search finds in the index."""
    found = await search_on(database, engine).search_events(SearchQuestion(keyword))
    if found.source != "INDEX":
        return ["(not from the index)"]
    rows = await database.fetch("SELECT name FROM events WHERE id = ANY($1)", list(found.event_ids))
    return [row["name"] for row in rows]


async def test_found_when_changed_by_hand_in_any_table(database: Database, engine: Engine) -> None:
    venue = await add_venue(database, "롤링홀")
    band = await add_performer(database, "검정치마")
    event = await add_event(database, "공연", venue)

    async def finds(keyword: str) -> bool:
        return await found_names(database, engine, keyword) == ["공연"]

    changes = [
        ("INSERT INTO event_performers VALUES ($1, $2, 0)", (event, band), "검정치마"),
        ("UPDATE performers SET name = '새소년' WHERE id = $1", (band,), "새소년"),
        ("UPDATE venues SET name = '벨로주' WHERE id = $1", (venue,), "벨로주"),
        ("UPDATE venues SET city = '부산' WHERE id = $1", (venue,), "부산"),
        ("UPDATE events SET description = '고구마' WHERE id = $1", (event,), "고구마"),
    ]
    async with indexing(database, engine):
        await until(lambda: finds("롤링홀"))
        for statement, arguments, keyword in changes:
            assert not await finds(keyword)
            await database.fetch(statement, *arguments)
            await until(lambda keyword=keyword: finds(keyword), 2.0)  # type: ignore[misc]
        await database.fetch("DELETE FROM event_performers WHERE event_id = $1", event)
        await until(lambda: _is_not_found(database, engine, "새소년"), 2.0)


async def _is_not_found(database: Database, engine: Engine, keyword: str) -> bool:
    return await found_names(database, engine, keyword) == []


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM events WHERE name = '사라질 공연'",
        "UPDATE events SET state = 'CANCELLED' WHERE name = '사라질 공연'",
        "UPDATE events SET state = 'DRAFT' WHERE name = '사라질 공연'",
    ],
)
async def test_gone_within_two_seconds_when_no_longer_published(
    database: Database, engine: Engine, statement: str
) -> None:
    venue = await add_venue(database)
    await add_event(database, "사라질 공연", venue)
    await add_event(database, "남는 공연", venue)
    async with indexing(database, engine):
        await until(lambda: are_equal(engine, database))
        await database.fetch(statement)
        await until(lambda: _is_not_found(database, engine, "사라질"), 2.0)
        assert "남는 공연" in (await indexed(engine)).values()


class RejectingAdministration(MeilisearchAdministration):
    """Corrupts the ids of some documents, so that the engine rejects them."""

    refused: frozenset[str] = frozenset()

    def pack(self, documents: Sequence[dict[str, Any]]) -> bytes:
        sent = [{**each, "id": "no id!"} if each["name"] in self.refused else each for each in documents]
        return super().pack(sent)


@pytest.fixture
def rejecting(engine: Engine) -> tuple[Engine, RejectingAdministration]:
    """An engine that rejects events named 나쁜 공연."""
    administration = RejectingAdministration(engine.server.url(), KEY, uid=engine.administration.uid)
    administration.refused = frozenset({"나쁜 공연"})
    return replace(engine, administration=administration), administration


async def test_parked_with_its_reason_when_the_engine_refuses_a_document(
    database: Database, rejecting: tuple[Engine, RejectingAdministration]
) -> None:
    engine, administration = rejecting
    venue = await add_venue(database, "벨로주")
    async with indexing(database, engine):
        await until(lambda: are_equal(engine, database))
        await add_event(database, "나쁜 공연", venue)
        await add_event(database, "좋은 공연", venue)
        await until(lambda: _has_settled(database))
        assert list((await indexed(engine)).values()) == ["좋은 공연"]
        assert "no id!" in await database.fetchval("SELECT error FROM search_refusals")
        assert "1 refused" in await index_standing(database)
        administration.refused = frozenset()
        await database.fetch("UPDATE venues SET name = '다른 홀' WHERE id = $1", venue)
        await until(lambda: are_equal(engine, database))
        assert await database.fetchval("SELECT count(*) FROM search_refusals") == 0


async def test_others_indexed_when_a_document_is_refused_in_a_rebuild(
    database: Database, rejecting: tuple[Engine, RejectingAdministration]
) -> None:
    engine, administration = rejecting
    venue = await add_venue(database)
    for name in ("좋은 공연", "나쁜 공연", "다음 공연"):
        await add_event(database, name, venue)
    assert await rebuild(database, administration) == 3
    assert sorted((await indexed(engine)).values()) == ["다음 공연", "좋은 공연"]
    assert await database.fetchval("SELECT count(*) FROM search_refusals") == 1


async def test_nothing_left_to_deliver_when_a_rebuild_has_read_it(database: Database, engine: Engine) -> None:
    kept = await add_event(database, "공연", await add_venue(database))
    cancelled = await add_event(database, "취소 공연", await add_venue(database), state="CANCELLED")
    await rebuild(database, engine.administration)
    waiting = await database.fetch("SELECT DISTINCT event_id FROM search_outbox")
    assert [row["event_id"] for row in waiting] == [cancelled]  # its deletion
    assert list(await indexed(engine)) == [public_id(Kind.EVENT, kept)]


async def _has_settled(database: Database) -> bool:
    return not await database.fetchval("SELECT count(*) FROM search_outbox")


async def add_many(database: Database, number: int) -> None:
    """Many events in one statement."""
    venue = await add_venue(database, "큰 홀")
    first = await add_event(database, "공연 0", venue)
    await database.fetch(
        "INSERT INTO events (id, name, state, starts_at, venue_id, seat_map_version, max_tickets_per_order)"
        " SELECT gen_random_uuid(), '공연 ' || n, 'PUBLISHED', now() + n * interval '1 hour', $1, $2, 8"
        " FROM generate_series(1, $3) AS n",
        venue,
        str(first),
        number - 1,
    )


async def is_ready(database: Database) -> bool:
    return bool(await database.fetchval("SELECT ready FROM search_state"))


async def is_half_done(database: Database) -> bool:
    waiting = await database.fetchval("SELECT count(*) FROM search_outbox WHERE recorded")
    return bool(0 < waiting < 3000)


async def test_nothing_lost_when_the_engine_is_killed_in_a_batch(database: Database, engine: Engine) -> None:
    async with indexing(database, engine):
        await until(lambda: is_ready(database), DEADLINE_SECONDS)
        await add_many(database, 3000)
        await until(lambda: is_half_done(database), DEADLINE_SECONDS)
        kill_engine(engine)
        await database.fetch("UPDATE events SET name = '새 이름' WHERE name = '공연 7'")
        await database.fetch("DELETE FROM events WHERE name = '공연 9'")
        engine.server.start()
        await until(lambda: are_equal(engine, database), DEADLINE_SECONDS)
        assert await found_names(database, engine, "새 이름") == ["새 이름"]


async def is_rebuilding(database: Database) -> bool:
    return bool(await database.fetchval("SELECT rebuilding FROM search_state"))


def kill_engine(engine: Engine) -> None:
    """Sends signal 9 to the engine and waits for its end."""
    process = engine.server.process
    assert process is not None
    process.kill()
    process.wait()


async def test_changes_kept_when_made_during_a_rebuild(database: Database, engine: Engine) -> None:
    await add_many(database, 4500)
    async with indexing(database, engine):
        await until(lambda: are_equal(engine, database), DEADLINE_SECONDS)
        changed = asyncio.Event()
        loop = asyncio.get_running_loop()

        def on_progress(progress: Progress) -> None:
            if progress.done:
                loop.call_soon_threadsafe(changed.set)

        rebuilding = asyncio.create_task(
            rebuild(database, engine.administration, on_progress, parcel_bytes=1)
        )
        await changed.wait()
        await database.fetch("UPDATE events SET name = 'A ' || name WHERE name LIKE '공연 1%'")
        await database.fetch("DELETE FROM events WHERE name LIKE '공연 2%'")
        with pytest.raises(ReindexRunning):
            await rebuild(database, engine.administration)
        await rebuilding
        await until(lambda: are_equal(engine, database), DEADLINE_SECONDS)


async def test_index_still_served_when_a_rebuild_is_interrupted(database: Database, engine: Engine) -> None:
    await add_many(database, 4500)
    await rebuild(database, engine.administration)
    reached = asyncio.Event()
    rebuilding = asyncio.create_task(
        rebuild(
            database,
            engine.administration,
            lambda at: reached.set() if at.done else None,
            parcel_bytes=1,  # posts every batch at once
        )
    )
    await reached.wait()
    rebuilding.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await rebuilding
    assert len(await indexed(engine)) == 4500
    assert not await is_rebuilding(database)
    assert await rebuild(database, engine.administration) == 4500


async def test_database_answers_when_the_engine_is_away_and_index_when_it_is_back(
    database: Database, engine: Engine
) -> None:
    await add_event(database, "공연", await add_venue(database))
    search = search_on(database, engine)

    async def answers_from(source: str) -> bool:
        found = await search.search_events(SearchQuestion("공연"))
        assert found.total == 1
        return found.source == source

    async with indexing(database, engine):
        await until(lambda: are_equal(engine, database))
        await until(lambda: answers_from("INDEX"))
        kill_engine(engine)
        await until(lambda: answers_from("DATABASE"))
        engine.server.start()
        await until(lambda: answers_from("INDEX"))


async def test_found_by_its_new_name_when_the_engine_is_behind(database: Database, engine: Engine) -> None:
    venue = await add_venue(database)
    changed = await add_event(database, "공연", venue, days=2)
    await add_event(database, "다른 공연", venue, days=3)
    await rebuild(database, engine.administration)
    await database.fetch("UPDATE events SET name = '고구마' WHERE id = $1", changed)
    async with database.connection() as connection:
        await record_changes(connection, has_engine=True)
    search = search_on(database, engine)
    found = await search.search_events(SearchQuestion("고구마"))
    assert (found.source, found.event_ids, found.total) == ("INDEX", (changed,), 1)
    everything = await search.search_events(SearchQuestion())
    assert (everything.source, everything.event_ids[0], everything.total) == ("INDEX", changed, 2)


async def _say_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def test_database_answers_in_time_when_the_engine_hangs(database: Database, engine: Engine) -> None:
    await add_event(database, "공연", await add_venue(database))
    await rebuild(database, engine.administration)
    hanging = await asyncio.start_server(_say_nothing, "127.0.0.1", 0)
    port = hanging.sockets[0].getsockname()[1]
    index = MeilisearchIndex(f"http://127.0.0.1:{port}", KEY, venues_around(database))
    search = search_on(database, replace(engine, index=index))
    async with asyncio.timeout(3):
        found = await search.search_events(SearchQuestion("공연"))
    assert (found.source, found.total) == ("DATABASE", 1)
    await index.close()
    hanging.close()


async def test_database_answers_when_the_index_is_too_far_behind(database: Database, engine: Engine) -> None:
    venue = await add_venue(database)
    await rebuild(database, engine.administration)
    await database.fetch("DELETE FROM search_outbox")
    fresh = await search_on(database, engine).search_events(SearchQuestion())
    await add_event(database, "공연", venue)
    await database.fetch("UPDATE search_outbox SET created_at = now() - interval '2 minutes'")
    stale = await search_on(database, engine).search_events(SearchQuestion())
    assert (fresh.source, fresh.total) == ("INDEX", 0)
    assert (stale.source, stale.total) == ("DATABASE", 1)
