"""Search through the GraphQL schema."""

import pytest

from db.session import Database
from services.search.record_documents import record_changes
from tests.apis import Api, api_on
from tests.integration.search.catalogue import add_event, add_performer, add_venue

SEARCH = """
query ($input: SearchEventsInput!) {
  searchEvents(input: $input) {
    events { name venue { name } }
    total pageNum pageSize totalPages tookMs source
    facets { field buckets { value count } }
    highlights { eventId field text ranges { start length } }
  }
}
"""


_MANY_MORE = """
INSERT INTO events (id, name, state, starts_at, venue_id, seat_map_version, max_tickets_per_order)
SELECT gen_random_uuid(), name, state, starts_at, venue_id, seat_map_version, max_tickets_per_order
FROM events, generate_series(1, 10100) WHERE name = '공연 1'
"""


@pytest.fixture
async def catalogue(database: Database) -> Database:
    """Three concerts of one band."""
    venue = await add_venue(database, "롤링홀")
    band = await add_performer(database, "검정치마")
    for number in range(1, 4):
        await add_event(database, f"공연 {number}", venue, band, days=number)
    async with database.connection() as connection:
        await record_changes(connection, has_engine=False)
    return database


async def ask(api: Api, **question: object) -> dict[str, object]:
    answer = (await api.ask(SEARCH, {"input": question})).data["searchEvents"]
    assert isinstance(answer, dict)
    return answer


async def test_page_with_totals_facets_and_highlights_when_searched(
    catalogue: Database, postgres_url: str, redis_url: str
) -> None:
    async with api_on(postgres_url, redis_url) as api:
        found = await ask(api, keyword="검정차마", pageSize=2, pageNum=2)
    assert found["events"] == [{"name": "공연 3", "venue": {"name": "롤링홀"}}]
    assert (found["total"], found["totalPages"], found["pageNum"], found["source"]) == (3, 2, 2, "DATABASE")
    assert {"field": "city", "buckets": [{"value": "서울", "count": 3}]} in found["facets"]  # type: ignore[operator]
    assert [(shown["field"], shown["text"]) for shown in found["highlights"]] == [  # type: ignore[attr-defined]
        ("performers", "검정치마")
    ]


async def test_every_promised_page_is_served_when_there_are_more_results_than_can_be_asked_for(
    catalogue: Database, postgres_url: str, redis_url: str
) -> None:
    await catalogue.fetch(_MANY_MORE)
    async with api_on(postgres_url, redis_url) as api:
        found = await ask(api, pageSize=30)
        last = found["totalPages"]
        assert isinstance(last, int)
        at_the_end = await ask(api, pageSize=30, pageNum=last)
        behind = await api.ask(SEARCH, {"input": {"pageSize": 30, "pageNum": last + 1}})
    assert (found["total"], last) == (10_103, 334)
    assert len(at_the_end["events"]) == 30  # type: ignore[arg-type]
    assert behind.message == "(pageNum - 1) times pageSize must be less than 10000."


async def test_every_event_once_when_all_pages_are_read(
    catalogue: Database, postgres_url: str, redis_url: str
) -> None:
    async with api_on(postgres_url, redis_url) as api:
        pages = [await ask(api, keyword="공연", pageSize=1, pageNum=number) for number in (1, 2, 3, 4)]
    names = [event["name"] for page in pages for event in page["events"]]  # type: ignore[attr-defined]
    assert names == ["공연 1", "공연 2", "공연 3"]


async def test_not_shown_when_cancelled_before_the_index_knows(
    catalogue: Database, postgres_url: str, redis_url: str
) -> None:
    await catalogue.fetch("UPDATE events SET state = 'CANCELLED' WHERE name = '공연 1'")
    async with api_on(postgres_url, redis_url) as api:
        found = await ask(api, keyword="검정치마")
    assert [event["name"] for event in found["events"]] == ["공연 2", "공연 3"]  # type: ignore[attr-defined]


async def test_completed_when_a_syllable_is_half_typed(
    catalogue: Database, postgres_url: str, redis_url: str
) -> None:
    async with api_on(postgres_url, redis_url) as api:
        answer = await api.ask('{ suggest(prefix: "검저") { text kind eventId } }')
    assert answer.data["suggest"] == [{"text": "검정치마", "kind": "PERFORMER", "eventId": None}]


async def test_city_is_offered_beside_names_when_all_begin_alike(
    database: Database, postgres_url: str, redis_url: str
) -> None:
    venue = await add_venue(database, "롤링홀", "서울")
    for number in range(9):
        band = await add_performer(database, f"서울 밴드 {number}")
        await add_event(database, f"밤 {number}", venue, band)
    async with database.connection() as connection:
        await record_changes(connection, has_engine=False)
    async with api_on(postgres_url, redis_url) as api:
        answer = await api.ask('{ suggest(prefix: "seou") { text kind } }')
    assert len(answer.data["suggest"]) == 8
    assert {"text": "서울", "kind": "CITY"} in answer.data["suggest"]


async def test_operation_is_refused_when_it_searches_more_than_four_times(
    catalogue: Database, postgres_url: str, redis_url: str
) -> None:
    one = 'searchEvents(input: { keyword: "공연" }) { total }'
    four = f'a: {one} b: {one} ...More c: suggest(prefix: "공") {{ text }}'
    more = f"fragment More on Query {{ d: {one} ... on Query {{ serverTime }} }}"
    async with api_on(postgres_url, redis_url) as api:
        allowed = await api.ask(f"query {{ {four} }} {more}")
        refused = await api.ask(f"query {{ {four} e: {one} }} {more}")
        priced = await api.client.post(
            "/graphql", json={"query": f"{{ {one} }}"}, headers={"X-GraphQL-Cost": "1"}
        )

    assert allowed.data["a"] == allowed.data["d"] == {"total": 3}
    assert (refused.status, refused.code) == (400, "SCARCE_FIELDS_LIMIT")
    assert refused.message == "An operation may ask 4 times for searchEvents, suggest; this one does 5 times."
    assert "data" not in refused.body
    assert priced.json()["extensions"]["cost"]["requested"] == 301
