"""Reading what Korean concert listings say of price, city and genre."""

import pytest

from domain.genres import category_of
from domain.korean_cities import city_of
from domain.price_text import price_in_won


@pytest.mark.parametrize(
    ("text", "won"),
    [
        ("15,000원", 15_000),
        ("15000", 15_000),
        ("\\10,000", 10_000),
        ("예매 20.000 / 현매 30.000", 20_000),
        ("현매 30,000원 예매 25,000원", 25_000),
        ("44000(예매), 55000(현매)", 44_000),
        ("25000(인터파크예매22000)", 22_000),
        ("1만원", 10_000),
        ("1만5천원", 15_000),
        ("만원+원프리드링크", 10_000),
        ("현매 만오천원 예매 만이천원", 12_000),
        ("현매1만원, 예매12천원", 12_000),
        ("예매(1일2만, 3일5.5만) 현매(1일2.5만,3일7만)", 20_000),
        ("5천원 (1 Free Drink)", 5_000),
        ("1일권 15,000원 / 2일권 25,000원", 15_000),
        ("무료", 0),
        ("무료입장유료퇴장", 0),
        ("입장료 FREE", 0),
        ("0원", 0),
        ("자율모금", 0),
        ("초대권", None),
        ("-", None),
        ("http://cafe.naver.com/sentimentalmoonshine/1224", None),
        ("", None),
        (None, None),
    ],
)
def test_price_is_the_advance_one_when_the_text_names_any(text: str | None, won: int | None) -> None:
    assert price_in_won(text) == won


SEOUL, BUSAN = (37.55, 126.92), (35.15, 129.06)


@pytest.mark.parametrize(
    ("address", "at", "city"),
    [
        ("서울특별시 마포구 서교동 369-44", SEOUL, "서울"),
        ("서울시광진구자양동848-4지하1층", SEOUL, "서울"),
        ("마포구 창전동 6-139", SEOUL, "서울"),
        ("부산진구 부전동", BUSAN, "부산"),
        ("부전2동 520", BUSAN, "부산"),
        ("경기도 성남시 분당구", (37.38, 127.12), "성남"),
        ("경기도 광주시 오포읍", (37.36, 127.23), "광주"),
        ("강원 춘천시 삼천동", (37.87, 127.7), "춘천"),
        ("충청북도 청주시", (36.6, 127.4), "청주"),
        ("합천군 합천읍", (35.56, 128.16), "합천"),
        ("제주시 애월읍", (33.46, 126.3), "제주"),
        ("제주특별자치도 조천읍", (33.5, 126.6), "제주"),
        ("", SEOUL, "서울"),
    ],
)
def test_city_is_found_when_the_address_is_written_in_any_way(
    address: str, at: tuple[float, float], city: str
) -> None:
    assert city_of(address, *at) == city


@pytest.mark.parametrize(
    ("genres", "category"),
    [
        (["Modern Rock", "인디", "HardRock"], "Rock"),
        (["모던락"], "Rock"),
        (["HipHop"], "Hip-Hop"),
        (["acuostic", "어쿠스틱", "Rock"], "Acoustic"),
        (["bossanova"], "Jazz"),
        (["Synthpop"], "Electronic"),
        (["Ska", "Rock"], "Reggae & Ska"),
        ([], "Concert"),
        (["??"], "Concert"),
    ],
)
def test_category_is_the_commonest_when_genres_are_many(genres: list[str], category: str) -> None:
    assert category_of(genres) == category
