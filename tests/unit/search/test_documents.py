"""What is written of an event, for either engine."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from domain.ids import Kind, public_id
from search.documents import EventFacts, PerformerFacts, SearchWords, index_document, text_vector, vocabulary
from search.engine_settings import CONSONANT_KEY_ATTRIBUTES, INITIAL_ATTRIBUTES, TEXT_ATTRIBUTES
from search.prices import price_band

FACTS = EventFacts(
    id=UUID("01890a5d-ac96-774b-bcce-b302099a8057"),
    name="첫 공연",
    description="It's on",
    category="Rock",
    starts_at=datetime(2027, 2, 28, 16, tzinfo=UTC),
    ends_at=None,
    off_sale_at=None,
    price_from=15000,
    price_to=20000,
    currency="KRW",
    sold_out=True,
    venue_id=UUID("01890a5d-ac96-774b-bcce-b302099a8058"),
    venue="롤링홀",
    address="서울 마포구",
    city="서울",
    country="KR",
    timezone="Asia/Seoul",
    performers=(PerformerFacts("검정치마", "검정치마(The Black Skirts)는", ("Folk",)),),
)


def document_of(facts: EventFacts) -> dict[str, Any]:
    """What the engine is given."""
    return index_document(facts, SearchWords.of(facts))


def test_document_holds_what_is_filtered_and_shown_when_written() -> None:
    document = document_of(FACTS)
    assert document["month"] == "2027-03"  # in Seoul it is March already
    assert document["until"] - document["starts_at"] == 6 * 3600
    assert document["available"] is False
    assert document["price_band"] == "KRW 10000-20000"
    assert document["venue_id"] == public_id(Kind.VENUE, FACTS.venue_id)


def test_every_searched_attribute_is_in_the_document_when_written() -> None:
    words = document_of(FACTS)["words"]
    searched = {*TEXT_ATTRIBUTES, *CONSONANT_KEY_ATTRIBUTES, *INITIAL_ATTRIBUTES}
    assert {f"words.{name}" for name in words} == searched
    assert document_of(FACTS)["spellings"] == [["The Black Skirts"]]


def test_vector_weighs_performers_above_the_rest_when_written() -> None:
    vector = text_vector(SearchWords.of(FACTS))
    lexemes = dict(part.split(":") for part in vector.split(" "))
    assert lexemes["'geomjeongchima'"].endswith("A")
    assert lexemes["'skirts'"].endswith("A")
    assert lexemes["'cheos'"].endswith("B")
    assert lexemes["'rolringhol'"].endswith("C")
    assert lexemes["'march'"].endswith("D")
    assert lexemes["'~gmjnjm'"].endswith("D")
    assert lexemes["'^10222416'"].endswith("D")


def test_words_of_two_names_do_not_follow_one_another_when_written() -> None:
    bill = (PerformerFacts("Neon", "", ()), PerformerFacts("Bunny", "", ()))
    vector = text_vector(SearchWords.of(replace(FACTS, performers=bill)))
    lexemes = dict(part.split(":") for part in vector.split(" "))
    places = {word.strip("'"): int(found.rstrip("A")) for word, found in lexemes.items() if "A" in found}
    assert places["bunny"] == places["neon"] + 2


def test_vocabulary_has_names_alone_when_written() -> None:
    words = vocabulary(SearchWords.of(FACTS))
    assert {"geomjeongchima", "rolringhol", "skirts"} <= words
    assert "march" not in words


def test_month_is_in_utc_when_the_time_zone_is_unknown() -> None:
    assert document_of(replace(FACTS, timezone="Mars/Olympus"))["month"] == "2027-02"


@pytest.mark.parametrize(
    ("price", "currency", "band"),
    [
        (0, "KRW", "KRW 0"),
        (9_999, "KRW", "KRW 1-10000"),
        (10_000, "KRW", "KRW 10000-20000"),
        (4550, "USD", "USD 2000-5000"),
        (99_999, "USD", "USD 20000-"),
        (None, "USD", None),
        (100, None, None),
    ],
)
def test_price_falls_in_its_band_when_priced(
    price: int | None, currency: str | None, band: str | None
) -> None:
    assert price_band(price, currency) == band
