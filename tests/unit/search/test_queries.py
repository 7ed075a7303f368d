"""Requests as the engines get them; typed text is never part of a statement."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.ids import Kind, public_id
from search.completions import completions
from search.fallback_query import build_search, build_venues
from search.highlights import highlights
from search.index import Hit, Hits, Match, Near, SearchRequest, Sort
from search.keyword import read_keyword
from search.meilisearch_query import (
    completion_bodies,
    frequency_bodies,
    search_body,
    share_bodies,
    sound_alike_bodies,
)
from search.nearby_venues import Share, page_shares
from search.text_query import completion_queries, consonant_words, exact_words
from search.unindexed import with_unindexed
from tests.unit.search.test_documents import FACTS

NOW = datetime(2027, 1, 1, tzinfo=UTC)
HIT = Hit(FACTS.id, "첫 공연", ("검정치마", "야광토끼"), "롤링홀", "서울", NOW)
HOSTILE = """x' OR 1=1 -- " \\ $1 OR state = 'DRAFT'"""


def test_text_stays_data_when_it_looks_like_a_statement() -> None:
    request = SearchRequest(NOW, HOSTILE, city=HOSTILE, category=HOSTILE)
    query = build_search(request, exact_words(read_keyword(HOSTILE), Match.SPELLING), None)
    venues = build_venues(request)
    assert venues is not None
    assert HOSTILE not in query.statement + venues.statement
    assert HOSTILE in query.arguments
    typed = " ".join(str(argument) for argument in query.arguments if argument != HOSTILE)
    assert "--" not in typed and "$1" not in typed
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


def test_consonant_keys_are_queried_whole_when_names_sound_alike() -> None:
    bodies = sound_alike_bodies("events", "galaxy express")
    assert [body["q"] for body in bodies] == ['"glgsgsbls"', '"glgs" "gsbls"']
    assert all(body["attributesToSearchOn"] == ["words.consonant_keys"] for body in bodies)
    assert [body["q"] for body in sound_alike_bodies("events", "Coldplay")] == ['"gldbl"']
    sounds = consonant_words("galaxy express")
    assert sounds is not None and sounds.wanted == "('~glgs' & '~gsbls') | '~glgsgsbls'"


def test_names_are_a_filter_when_they_sound_alike() -> None:
    names = (("갤럭시 익스프레스",), ("부산", "부산홀"))
    body = search_body(SearchRequest(NOW, "galaxy busan", match=Match.SOUND, names=names))
    assert body["q"] == ""
    wanted = '"부산", "부산홀"'
    assert body["filter"][-1] == f"performers IN [{wanted}] OR venue IN [{wanted}] OR city IN [{wanted}]"
    query = build_search(SearchRequest(NOW, "galaxy", names=names), consonant_words("galaxy"), None)
    named = [argument for argument in query.arguments if isinstance(argument, list)]
    assert named[:2] == [["갤럭시 익스프레스"], ["부산", "부산홀"]]


def test_initials_are_queried_when_only_consonants_are_typed() -> None:
    body = search_body(SearchRequest(NOW, "ㄱㅈㅊㅁ"))
    assert (body["q"], body["attributesToSearchOn"]) == ("10222416", ["words.initials"])
    assert completion_bodies("events", "ㄱㅈ", NOW)[0]["attributesToSearchOn"] == ["words.initials"]
    assert completion_queries(read_keyword("ㄱㅈ")) == ["('^1022':*) | '^1022':*"]


def test_whole_word_in_names_is_queried_when_a_name_has_no_words() -> None:
    body = search_body(SearchRequest(NOW, "The The"))
    assert body["q"] == '"thethe"'
    assert body["attributesToSearchOn"] == ["words.performers", "words.name", "words.venue"]
    query = exact_words(read_keyword("The The"), Match.SPELLING)
    assert query is not None and query.wanted == "'thethe':ABC"


def test_chinese_characters_are_a_phrase_when_typed_in_a_row() -> None:
    assert search_body(SearchRequest(NOW, "五月天 서울"))["q"] == '"10201161026376 10263761022825" seoul'
    query = exact_words(read_keyword("五月天 서울"), Match.SPELLING)
    assert query is not None
    assert query.wanted.startswith("((('10201161026376' <-> '10263761022825')) & ('seoul':*))")
    assert frequency_bodies("events", [("102", "103")])[0]["q"] == '"102 103"'


def test_names_completed_in_order_when_typed_and_mistyped() -> None:
    found = completions("치마", [HIT, replace(HIT, event_id=UUID(int=7), performers=("치매",))], 5)
    assert [each.text for each in found] == ["치매", "검정치마"]
    assert completions("galaxy", [replace(HIT, performers=("갤럭시",))], 5)[0].text == "갤럭시"


def test_kinds_take_turns_when_all_begin_with_what_was_typed() -> None:
    bands = tuple(f"서울 {number}" for number in range(9))
    hit = replace(HIT, performers=bands, venue="서울광장", name="서울소닉")
    found = completions("seou", [hit], 6)
    assert [(each.kind, each.text) for each in found] == [
        ("PERFORMER", "서울 0"),
        ("VENUE", "서울광장"),
        ("CITY", "서울"),
        ("EVENT", "서울소닉"),
        ("PERFORMER", "서울 1"),
        ("PERFORMER", "서울 2"),
    ]


def test_exact_names_of_a_kind_precede_typos_of_another_when_completed() -> None:
    hit = replace(HIT, performers=("검정치마", "검정치마 밴드"), venue="검정차마", city="광주")
    assert [each.text for each in completions("검정치마", [hit], 5)] == [
        "검정치마",
        "검정치마 밴드",
        "검정차마",
    ]


def test_name_is_completed_when_its_initials_are_typed() -> None:
    hit = replace(HIT, performers=("갤럭시 익스프레스",))
    assert [each.text for each in completions("ㄱㄹㅅㅇㅅ", [hit], 5)] == ["갤럭시 익스프레스"]
    assert [each.text for each in completions("ㄹㄹ", [hit], 5)] == ["롤링홀"]
    assert completions("ㅋㅋ", [hit], 5) == []


def test_matched_texts_are_shown_when_highlighted() -> None:
    shown = [(each.field, each.text, each.ranges) for each in highlights("롤링 야광토키", HIT)]
    assert shown == [("performers", "야광토끼", ((0, 4),)), ("venue", "롤링홀", ((0, 3),))]


@pytest.mark.parametrize(
    ("keyword", "name", "ranges"),
    [
        ("ㄱㅈㅊㅁ", "검정치마 공연", ((0, 4),)),
        ("!!!", "! ! !", ((0, 5),)),
        ("the the", "The The", ((0, 7),)),
        ("the the", "The Others", ()),
        ("台北", "臺北小巨蛋 2027", ((0, 5),)),
        ("台北", "台中 2027", ()),
        ("lodz", "Night in Łódź", ((9, 4),)),
        ("검정치마콘서트", "검정치마 콘서트", ((0, 4), (5, 3))),
    ],
)
def test_what_matched_is_shown_when_it_is_spelt_otherwise(
    keyword: str, name: str, ranges: tuple[tuple[int, int], ...]
) -> None:
    shown = highlights(keyword, replace(HIT, name=name, performers=(), venue="-", city="-"))
    assert [each.ranges for each in shown] == ([ranges] if ranges else [])


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
