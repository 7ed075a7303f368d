"""Documents that an earlier version wrote are written again by themselves."""

from db.session import Database
from search.engine_settings import DOCUMENT_VERSION
from services.search.find_events import SearchQuestion
from tests.integration.search.catalogue import add_event, add_performer, add_venue
from tests.integration.search.conftest import search_on
from workers.indexing import Recorder


async def test_documents_are_written_again_when_an_earlier_version_wrote_them(database: Database) -> None:
    venue = await add_venue(database)
    event = await add_event(database, "첫 공연", venue, await add_performer(database, "검정치마"))
    draft = await add_event(database, "비밀 공연", venue, state="DRAFT")
    await _record_all(Recorder(database, has_engine=False))
    await database.fetch("UPDATE search_documents SET words = 'old'")
    await database.fetch("UPDATE search_state SET documents_version = $1", DOCUMENT_VERSION - 1)

    await _record_all(Recorder(database, has_engine=False))

    found = await search_on(database, None).search_events(SearchQuestion("ㄱㅈㅊㅁ"))
    assert found.event_ids == (event,)
    assert await database.fetchval("SELECT documents_version FROM search_state") == DOCUMENT_VERSION
    assert await database.fetchval("SELECT count(*) FROM search_documents WHERE event_id = $1", draft) == 0


async def test_nothing_is_marked_when_this_version_wrote_the_documents(database: Database) -> None:
    venue = await add_venue(database)
    await add_event(database, "첫 공연", venue)
    await _record_all(Recorder(database, has_engine=False))

    assert await Recorder(database, has_engine=False)() == 0


async def test_documents_stay_when_the_engine_is_rebuilt_with_them(database: Database) -> None:
    venue = await add_venue(database)
    await add_event(database, "첫 공연", venue)
    await _record_all(Recorder(database, has_engine=False))
    await database.fetch("UPDATE search_state SET documents_version = 1")

    assert await Recorder(database, has_engine=True)() == 0


async def _record_all(recorder: Recorder) -> None:
    while await recorder():
        pass
    await recorder._leadership.resign()
