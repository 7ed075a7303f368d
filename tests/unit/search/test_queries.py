"""Requests as the engines get them; typed text is never part of a statement."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.ids import Kind, public_id
from search.completions import completions
from search.fallback_query import build_search, build_venues, exact_words
from search.highlights import highlights
from search.index import Hit, Hits, Match, Near, SearchRequest, Sort
from search.meilisearch_query import search_body, share_bodies
from search.nearby_venues import Share, page_shares
from search.unindexed import with_unindexed
from tests.unit.search.test_documents import FACTS

NOW = datetime(2027, 1, 1, tzinfo=UTC)
HIT = Hit(FACTS.id, "첫 공연", ("검정치마", "야광토끼"), "롤링홀", "서울", NOW)
HOSTILE = """x' OR 1=1 -- " \\ $1 OR state = 'DRAFT'"""


def test_text_stays_data_when_it_looks_like_a_statement() -> None:
    request = SearchRequest(NOW, HOSTILE, city=HOSTILE, category=HOSTILE)
    query = build_search(request, exact_words(["x'"[:1]], Match.SPELLING), None)
    venues = build_venues(request)
    assert venues is not None
    assert HOSTILE not in query.statement + venues.statement
    assert HOSTILE in query.arguments
    assert venues.arguments == (HOSTILE,)
    filters = search_body(request)["filter"]
    assert filters[1] == "city = \"x' OR 1=1 -- \\\" \\\\ $1 OR state = 'DRAFT'\""


def test_venues_are_filtered_when_near_is_given() -> None:
    request = SearchRequest(NOW, near=Near(37.5, 127.0, 2.5), sort=Sort.PRICE)
    venues = [UUID(int=1), UUID(int=2)]
    wanted = ", ".join(public_id(Kind.VENUE, venue) for venue in venues)
    assert search_body(request, venues)["filter"][-1] == f"venue_id IN [{wanted}]"
    assert search_body(request, [])["filter"][-1] == "venue_id IN []"


def test_nearest_venues_fill_a_page_when_sorted_by_distance() -> None:
    near, same, far = UUID(int=1), UUID(int=2), UUID(int=3)
    places, counts = [[near, same], [UUID(int=4)], [far]], {near: 2, same: 3, far: 9}
    assert page_shares(places, counts, 0, 4) == [Share([near, same], 0, 4)]
    assert page_shares(places, counts, 4, 4) == [Share([near, same], 4, 1), Share([far], 0, 3)]
    assert page_shares(places, counts, 12, 4) == [Share([far], 7, 2)]
    assert page_shares(places, counts, 16, 4) == []


def test_soonest_first_when_nothing_is_typed() -> None:
    assert search_body(SearchRequest(NOW))["sort"] == ["starts_at:asc"]
    assert "sort" not in search_body(SearchRequest(NOW, "치마"))


def test_consonant_keys_are_queried_when_consonants_are_matched() -> None:
    body = search_body(replace(SearchRequest(NOW, "galaxy express"), match=Match.CONSONANTS))
    assert (body["q"], body["attributesToSearchOn"]) == ("glgs gsbls", ["words.consonant_keys"])


def test_names_completed_in_order_when_typed_and_mistyped() -> None:
    found = completions("치마", [HIT, replace(HIT, event_id=UUID(int=7), performers=("치매",))], 5)
    assert [each.text for each in found] == ["치매", "검정치마"]
    assert completions("galaxy", [replace(HIT, performers=("갤럭시",))], 5)[0].text == "갤럭시"


def test_matched_texts_are_shown_when_highlighted() -> None:
    shown = [(each.field, each.text, each.ranges) for each in highlights("롤링 야광토키", HIT)]
    assert shown == [("performers", "야광토끼", ((0, 4),)), ("venue", "롤링홀", ((0, 3),))]


def test_unindexed_event_precedes_hits_with_typos_when_sorted_by_relevance() -> None:
    late = replace(HIT, event_id=UUID(int=9))
    typo = replace(HIT, event_id=UUID(int=8), performers=("검정차마",))
    found = with_unindexed(SearchRequest(NOW, "검정치마"), Hits((HIT, typo), 2, 1), [late])
    assert ([hit.event_id for hit in found.hits], found.total) == (
        [FACTS.id, late.event_id, typo.event_id],
        3,
    )


def test_unindexed_event_is_sorted_by_start_when_nothing_is_typed() -> None:
    later = replace(HIT, event_id=UUID(int=8), starts_at=NOW + timedelta(days=2))
    moved = replace(HIT, starts_at=NOW + timedelta(days=1))
    found = with_unindexed(SearchRequest(NOW), Hits((HIT, later), 2, 1), [moved])
    assert ([hit.event_id for hit in found.hits], found.total) == ([FACTS.id, later.event_id], 2)
    assert found.hits[0].starts_at == moved.starts_at


def test_venues_between_the_first_and_the_last_share_a_query() -> None:
    venues = [UUID(int=number) for number in range(1, 7)]
    between = [Share([venue], 0, 2) for venue in venues[1:5]]
    shares = [Share(venues[:1], 3, 2), *between, Share(venues[5:], 0, 1)]
    request = SearchRequest(now=NOW, sort=Sort.DISTANCE)

    asked = share_bodies("events", request, shares)

    assert [(body["offset"], body["limit"]) for body, _ in asked] == [(3, 2), (0, 8), (0, 1)]
    assert [group for _, group in asked] == [shares[:1], between, shares[5:]]
    assert [len(share_bodies("events", request, shares[:count])) for count in range(4)] == [0, 1, 2, 3]
