"""When an event is on: it is found from its first minute to its last, on either engine."""

from datetime import timedelta

import pytest

from db.session import Database
from domain.states import ASSUMED_DURATION
from kit.clock import utc_now
from services.search.find_events import EventSearch, SearchQuestion
from services.search.rebuild_index import rebuild
from services.search.record_documents import record_changes
from tests.integration.search.catalogue import add_event, add_venue
from tests.integration.search.conftest import Engine, search_on


@pytest.fixture(params=["INDEX", "DATABASE"])
async def search(request: pytest.FixtureRequest, database: Database, engine: Engine) -> EventSearch:
    """A festival of three days that began yesterday, and a concert in ten days whose end nobody has said."""
    venue = await add_venue(database)
    await add_event(
        database, "축제", venue, days=-1, ends_at=utc_now() + timedelta(days=2), category="Festival"
    )
    await add_event(database, "공연", venue, days=10)
    if request.param == "INDEX":
        await rebuild(database, engine.administration)
    async with database.connection() as connection:
        await record_changes(connection, has_engine=False)
    return search_on(database, engine if request.param == "INDEX" else None)


HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("start", "end", "wanted"),
    [
        (None, None, {"축제", "공연"}),
        (DAY, 2 * DAY, {"축제"}),  # its last day
        (-12 * HOUR, 12 * HOUR, {"축제"}),
        (-3 * DAY, -12 * HOUR, {"축제"}),  # its first hours
        (-3 * DAY, -2 * DAY, set()),
        (2 * DAY + HOUR, 4 * DAY, set()),
        (10 * DAY + HOUR, None, {"공연"}),  # it is still on
        (10 * DAY + ASSUMED_DURATION + HOUR, None, set()),
        (None, -12 * HOUR, set()),  # what is over by now, and began before
    ],
)
async def test_found_when_it_is_on_between_start_and_end(
    search: EventSearch,
    database: Database,
    start: timedelta | None,
    end: timedelta | None,
    wanted: set[str],
) -> None:
    now = utc_now()
    asked = SearchQuestion(
        start=None if start is None else now + start, end=None if end is None else now + end
    )
    found = await search.search_events(asked)
    rows = await database.fetch("SELECT name FROM events WHERE id = ANY($1)", list(found.event_ids))
    assert {row["name"] for row in rows} == wanted
    assert found.total == len(wanted)
