"""Relevance over the 16,256 real concerts and some invented ones: queries find the expected events."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from db.session import Database
from devservices.meilisearch import Meilisearch
from services.search.find_events import EventSearch, FoundEvents, SearchQuestion
from services.search.rebuild_index import rebuild
from services.search.record_documents import record_changes
from tests.concerts import data_folder, load_concerts
from tests.integration.search.catalogue import add_event, add_performer, add_venue
from tests.integration.search.conftest import Engine, engine_on, search_on
from tests.integration.search.judged import INVENTED, JUDGED, Judged

pytestmark = [
    pytest.mark.skipif(data_folder() is None, reason="the real data is not beside the repository"),
    pytest.mark.timeout(400),  # 16,256 concerts are indexed, twice; on a busy machine that takes minutes
]

_MATCHES = """
SELECT EXISTS (
    SELECT FROM events e JOIN venues v ON v.id = e.venue_id
    WHERE e.id = ANY($1) AND strpos(e.name, $2) > 0 AND strpos(v.name, $3) > 0
      AND ($4 = '' OR v.city = $4)
      AND ($5 = 0 OR extract(month FROM e.starts_at AT TIME ZONE v.timezone) = $5)
      AND ($6 = '' OR EXISTS (
        SELECT FROM event_performers ep JOIN performers p ON p.id = ep.performer_id
        WHERE ep.event_id = e.id AND strpos(p.name, $6) > 0)))
"""
_FULLEST_WEEK = """
SELECT date_trunc('week', starts_at) FROM events GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1
"""
_PLACES_AND_STARTS = """
SELECT point(v.lat, v.lng)::text AS place, e.starts_at
FROM unnest($1::uuid[]) WITH ORDINALITY AS found (id, nth)
JOIN events e USING (id) JOIN venues v ON v.id = e.venue_id ORDER BY nth
"""


@pytest.fixture(scope="module")
async def concerts(module_postgres_url: str) -> AsyncIterator[Database]:
    """A database with every concert and its documents."""
    database = Database(module_postgres_url)
    async with database.connection() as connection:
        await load_concerts(connection)
        await invent(database)
        while await record_changes(connection, has_engine=False):
            pass
        await connection.execute("ANALYZE")
    yield database
    await database.close()


@pytest.fixture(scope="module")
async def engine(concerts: Database, meilisearch_server: Meilisearch) -> AsyncIterator[Engine]:
    """An index of every concert."""
    async with engine_on(meilisearch_server, concerts) as own:
        await rebuild(concerts, own.administration)
        yield own


async def invent(database: Database) -> None:
    """Add the invented events."""
    for days, invented in enumerate(INVENTED, start=30):
        venue = await add_venue(database, invented.venue, invented.city)
        performer = await add_performer(database, invented.performer)
        await add_event(database, invented.name, venue, performer, days=days)


async def misses(search: EventSearch, database: Database, source: str) -> list[str]:
    """The queries without the expected event among the first five, or with more events than expected."""
    missed = []
    for judged in JUDGED:
        found = await search.search_events(SearchQuestion(judged.query, page_size=5))
        assert found.source == source
        bounded = judged.most is None or found.total <= judged.most
        if not bounded or (expects_one(judged) and not await matches(database, judged, shown(judged, found))):
            missed.append(f"{judged.query} ({found.total})")
    return missed


def expects_one(judged: Judged) -> bool:
    """Whether the query must find an event."""
    return bool(judged.performer or judged.venue or judged.title or judged.city or judged.month)


def shown(judged: Judged, found: FoundEvents) -> tuple[object, ...]:
    """The events of which one must be the expected one."""
    return found.event_ids[:5] if judged.most is None else found.event_ids[:1]


async def matches(database: Database, judged: Judged, event_ids: tuple[object, ...]) -> bool:
    """Whether one of the events has all expected properties."""
    wanted = (judged.title, judged.venue, judged.city, judged.month, judged.performer)
    return bool(await database.fetchval(_MATCHES, list(event_ids), *wanted))


async def test_wanted_event_in_first_five_when_the_index_answers(concerts: Database, engine: Engine) -> None:
    missed = await misses(search_on(concerts, engine), concerts, "INDEX")
    assert len(JUDGED) >= 120
    assert len(missed) <= len(JUDGED) * 0.05, missed


async def test_the_nearest_come_first_when_either_engine_pages_by_distance(
    concerts: Database, engine: Engine
) -> None:
    week = await concerts.fetchval(_FULLEST_WEEK)
    question = SearchQuestion(
        start=week, end=week + timedelta(days=7), near=(37.55, 126.98, 25.0), sort="DISTANCE", page_size=15
    )

    async def pages(using: Engine | None) -> list[list[tuple[object, object]]]:
        search, found = search_on(concerts, using), []
        for number in range(1, 5):
            ids = (await search.search_events(replace(question, page_num=number))).event_ids
            rows = await concerts.fetch(_PLACES_AND_STARTS, list(ids))
            found.append([(row["place"], row["starts_at"]) for row in rows])
        return found

    by_index, by_database = await pages(engine), await pages(None)

    assert by_index == by_database
    assert [len(page) for page in by_index] == [15] * 4
    # Of places between the first and the last of a page there are several, with several events each.
    assert max(len({place for place, _ in page}) for page in by_index) > 4


async def test_wanted_event_in_first_five_when_the_database_answers(concerts: Database) -> None:
    missed = await misses(search_on(concerts, None), concerts, "DATABASE")
    assert len(missed) <= len(JUDGED) * 0.05, missed
