"""What a typed keyword asks for."""

import pytest

from search.initials import initials, typed_initials
from search.keyword import KeywordKind, read_keyword, wordless_name


@pytest.mark.parametrize(
    ("typed", "kind", "words"),
    [
        ("!!!", KeywordKind.NAME, ["300003330000333000033"]),
        ("！！！", KeywordKind.NAME, ["300003330000333000033"]),
        ("-M-", KeywordKind.NAME, ["300004530001093000045"]),
        ("the the", KeywordKind.NAME, ["thethe"]),
        ("the who", KeywordKind.WORDS, ["the", "who"]),
        ("M", KeywordKind.WORDS, ["m"]),
        ("U2!", KeywordKind.WORDS, ["u2"]),
        ("", KeywordKind.WORDS, []),
        ("ㄱㅈㅊㅁ", KeywordKind.INITIALS, ["10222416"]),
        ("ㄱㅈ ㅊㅁ", KeywordKind.INITIALS, ["1022", "2416"]),
        ("검ㅈ", KeywordKind.WORDS, ["geomj"]),
        ("검정치마콘서트", KeywordKind.WORDS, ["geomjeongchima", "konseoteu"]),
        ("검정치마단독공연", KeywordKind.WORDS, ["geomjeongchima", "dandog", "gongyeon"]),
        ("공연", KeywordKind.WORDS, ["gongyeon"]),
        ("락콘서트", KeywordKind.WORDS, ["ragkonseoteu"]),
        ("2013년 3월", KeywordKind.WORDS, ["2013", "march"]),
    ],
)
def test_keyword_is_read_when_typed(typed: str, kind: KeywordKind, words: list[str]) -> None:
    found = read_keyword(typed)
    assert (found.kind, found.words) == (kind, words)


def test_chinese_phrases_stay_apart_when_typed_with_a_space_or_with_a_trade_word() -> None:
    apart = (("10201161026376",), ("10284361021809", "10218091020250"))
    assert read_keyword("五月 演唱会").terms == apart
    assert read_keyword("五月演唱會").terms == apart


@pytest.mark.parametrize("typed", ["검정치마 콘서트", "혁오 공연", "자우림 단독 콘서트"])
def test_same_terms_when_a_trade_word_is_typed_without_a_space(typed: str) -> None:
    assert read_keyword(typed.replace(" ", "")).terms == read_keyword(typed).terms


@pytest.mark.parametrize(
    ("name", "wordless"), [("-M-", True), ("The The", True), ("M", False), ("it", False)]
)
def test_name_has_no_words_when_made_of_symbols_or_stop_words(name: str, *, wordless: bool) -> None:
    assert bool(wordless_name(name)) is wordless


def test_initials_of_words_and_of_the_whole_name_when_it_has_several() -> None:
    assert initials("갤럭시 익스프레스") == ("101519", "2119271519", "1015192119271519")
    assert initials("The Koxx") == ()
    assert initials("밴드 혁오 7집") == ("1713", "2821", "1713282122")


def test_letter_of_two_consonants_is_taken_apart_when_a_keyboard_joined_them() -> None:
    assert typed_initials("ㅄ") == typed_initials("ㅂㅅ")
    assert typed_initials("ㄱㅈ치마") == []
