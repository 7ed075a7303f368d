"""The PostgreSQL fallback answers every kind of search."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from db.session import Database
from domain.errors import BadRequest
from kit.clock import utc_now
from search.fallback_query import FallbackQuery
from services.search.find_events import EventSearch, SearchQuestion, database_index
from services.search.record_documents import record_changes
from tests.integration.search.catalogue import add_event, add_performer, add_venue
from tests.integration.search.conftest import search_on


@pytest.fixture
async def search(database: Database) -> AsyncIterator[EventSearch]:
    """Five upcoming events, one that is over, a draft and a cancelled one."""
    seoul = await add_venue(database, "롤링홀", "서울", lat=37.5485, lng=126.9201)
    busan = await add_venue(database, "오즈홀", "부산", lat=35.1578, lng=129.0600)
    band = await add_performer(database, "검정치마")
    other = await add_performer(database, "갤럭시 익스프레스")
    priced = {"currency": "KRW", "category": "Rock"}
    await add_event(database, "첫 공연", seoul, band, days=10, price_from=30000, **priced)
    await add_event(database, "둘째 공연", busan, band, days=20, price_from=10000, **priced)
    await add_event(database, "셋째 공연", seoul, other, days=5, price_from=0, **priced)
    await add_event(database, "매진 공연", seoul, band, days=40, price_from=20000, sold_out=True, **priced)
    await add_event(database, "무료 나눔", busan, other, days=50, category="Jazz")
    await add_event(database, "지난 공연", seoul, band, days=-100)
    await add_event(database, "비밀 공연", seoul, band, days=10, state="DRAFT")
    await add_event(database, "취소 공연", seoul, band, days=10, state="CANCELLED")
    await record_all(database)
    yield search_on(database, None)


async def record_all(database: Database) -> None:
    async with database.connection() as connection:
        while await record_changes(connection, has_engine=False):
            pass


async def names(search: EventSearch, database: Database, question: SearchQuestion) -> list[str]:
    """The names of the events found, in order."""
    found = await search.search_events(question)
    assert found.source == "DATABASE"
    rows = await database.fetch("SELECT id, name FROM events")
    by_id = {row["id"]: row["name"] for row in rows}
    return [by_id[event_id] for event_id in found.event_ids]


_QUESTIONS = [
    (SearchQuestion(), ["셋째 공연", "첫 공연", "둘째 공연", "매진 공연", "무료 나눔"]),
    (SearchQuestion("검정치마"), ["첫 공연", "둘째 공연", "매진 공연"]),
    (SearchQuestion("검정 차마"), ["첫 공연", "둘째 공연", "매진 공연"]),
    (SearchQuestion("galaxy express"), ["셋째 공연", "무료 나눔"]),
    (SearchQuestion("검정치마 부산"), ["둘째 공연"]),
    (SearchQuestion(city="부산"), ["둘째 공연", "무료 나눔"]),
    (SearchQuestion(category="jazz"), ["무료 나눔"]),
    (SearchQuestion(price_max=10000), ["셋째 공연", "둘째 공연"]),
    (SearchQuestion(price_max=10000, currency="KRW"), ["셋째 공연", "둘째 공연"]),
    (SearchQuestion(price_max=10000, currency="USD"), []),
    (SearchQuestion("검정치마", available_only=True), ["첫 공연", "둘째 공연"]),
    (SearchQuestion(near=(37.55, 126.92, 10.0)), ["셋째 공연", "첫 공연", "매진 공연"]),
    (
        SearchQuestion("검정치마", near=(35.1, 129.0, 1000.0), sort="DISTANCE"),
        ["둘째 공연", "첫 공연", "매진 공연"],
    ),
    (SearchQuestion("검정치마", sort="PRICE"), ["둘째 공연", "매진 공연", "첫 공연"]),
    (SearchQuestion(page_size=2, page_num=2), ["둘째 공연", "매진 공연"]),
    (SearchQuestion("지난"), ["지난 공연"]),
    (SearchQuestion("비밀"), []),
    (SearchQuestion("취소"), []),
    (SearchQuestion("' & | ! :* \\ ( <->"), []),
    (SearchQuestion("!!!"), []),
    (SearchQuestion("the the"), []),
    (SearchQuestion("ㄱㅈㅊㅁ"), ["첫 공연", "둘째 공연", "매진 공연"]),
    (SearchQuestion("검정치마콘서트"), ["첫 공연", "둘째 공연", "매진 공연"]),
    (SearchQuestion("검정치마 뮤지컬"), ["첫 공연", "둘째 공연", "매진 공연"]),
    (SearchQuestion("콜드플레이 뮤지컬"), []),
]


@pytest.mark.parametrize(("question", "wanted"), _QUESTIONS)
async def test_found_in_order_when_asked(
    search: EventSearch, database: Database, question: SearchQuestion, wanted: list[str]
) -> None:
    assert await names(search, database, question) == wanted


async def test_over_and_said_so_when_nothing_with_the_name_is_to_come(
    search: EventSearch, database: Database
) -> None:
    earlier = SearchQuestion(end=utc_now() - timedelta(days=1))
    assert await names(search, database, earlier) == ["지난 공연"]
    over = {
        question: (await search.search_events(question)).is_over
        for question in (SearchQuestion("지난"), earlier, SearchQuestion("검정치마"), SearchQuestion())
    }
    assert list(over.values()) == [True, True, False, False]
    assert await names(search, database, SearchQuestion("지난", available_only=True)) == []


async def test_sound_alikes_follow_when_few_are_spelt_so(search: EventSearch, database: Database) -> None:
    venue = await add_venue(database, "작은 홀")
    await add_event(database, "Galaxy Express Night", venue, days=90)
    await record_all(database)
    found = await names(search, database, SearchQuestion("galaxy express"))
    assert found == ["Galaxy Express Night", "셋째 공연", "무료 나눔"]


async def test_times_bound_the_result_when_start_and_end_are_given(
    search: EventSearch, database: Database
) -> None:
    now = utc_now()
    past = SearchQuestion(start=now - timedelta(days=200), end=now)
    soon = SearchQuestion(start=now + timedelta(days=7), end=now + timedelta(days=25))
    assert await names(search, database, past) == ["지난 공연"]
    assert await names(search, database, soon) == ["첫 공연", "둘째 공연"]


async def test_planned_for_its_own_keyword_when_asked_often(database: Database) -> None:
    mode = FallbackQuery("SELECT current_setting('plan_cache_mode') AS mode", ())
    rows = await database_index(database)._run(mode)
    assert [row["mode"] for row in rows] == ["force_custom_plan"]


async def test_facets_and_total_count_all_pages_when_one_is_asked(search: EventSearch) -> None:
    found = await search.search_events(SearchQuestion(page_size=1))
    facets = {facet.field: dict(facet.buckets) for facet in found.facets}
    assert found.total == 5
    assert facets["city"] == {"서울": 3, "부산": 2}
    assert facets["category"] == {"Rock": 4, "Jazz": 1}
    assert facets["priceBand"] == {
        "KRW 0": 1, "KRW 10000-20000": 1, "KRW 20000-30000": 1, "KRW 30000-50000": 1,
    }  # fmt: skip
    assert sum(facets["month"].values()) == 5


async def test_refused_when_the_page_is_too_far_back(search: EventSearch) -> None:
    with pytest.raises(BadRequest, match="10000"):
        await search.search_events(SearchQuestion(page_size=100, page_num=101))
    with pytest.raises(BadRequest, match="10000"):
        await search.search_events(SearchQuestion(page_size=30, page_num=335))
    assert (await search.search_events(SearchQuestion(page_size=30, page_num=334))).event_ids == ()


async def test_every_kind_of_name_is_completed_when_typed(search: EventSearch) -> None:
    typed = {
        "검저": ("검정치마", "PERFORMER"),
        "익스": ("갤럭시 익스프레스", "PERFORMER"),
        "롤": ("롤링홀", "VENUE"),
        "부ㅅ": ("부산", "CITY"),
        "매진": ("매진 공연", "EVENT"),
        "ㄱㅈㅊㅁ": ("검정치마", "PERFORMER"),
        "ㅂㅅ": ("부산", "CITY"),
    }
    for prefix, wanted in typed.items():
        found = await search.suggest(prefix, 5)
        assert wanted in [(each.text, each.kind) for each in found], prefix


async def test_matched_words_are_shown_when_found_by_a_typo(search: EventSearch) -> None:
    found = await search.search_events(SearchQuestion("검정차마", page_size=1))
    (shown,) = found.highlights[0]
    assert (shown.field, shown.text, shown.ranges) == ("performers", "검정치마", ((0, 4),))


async def test_found_by_its_new_name_when_changed_by_hand(search: EventSearch, database: Database) -> None:
    await database.fetch("UPDATE performers SET name = '새소년' WHERE name = '검정치마'")
    await record_all(database)
    assert await names(search, database, SearchQuestion("새소년", page_size=1)) == ["첫 공연"]
    assert await names(search, database, SearchQuestion("검정치마")) == []
