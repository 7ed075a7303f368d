"""How well a name matches what was typed."""

import pytest

from search.match_quality import is_prefix_match, match_quality


@pytest.mark.parametrize(
    ("typed", "word", "matches"),
    [
        ("geom", "geomjeongchima", True),  # a prefix
        ("gem", "geomjeongchima", False),  # three letters: no typo allowed
        ("germ", "geomjeongchima", False),  # four letters: no typo allowed
        ("blur", "bluesman", False),
        ("germj", "geomjeongchima", True),  # one letter changed
        ("gorjm", "geomjeongchima", False),  # two edits, one allowed
        ("1020116", "1020117", False),  # numbers have no typos
        ("rllinghal", "rollinghall", True),  # one letter dropped, a prefix of the rest
        ("geomjongchama", "geomjeongchima", True),  # one dropped, one changed
        ("geomjungchama", "geomjeongchima", False),  # three edits, two allowed
        ("ollinghall", "rollinghall", True),  # the first letter dropped
        ("xyllinghall", "rollinghall", False),  # neither of the first two letters is near the beginning
        ("rollinghallsandmore", "rollinghall", False),  # longer than the word
        ("", "rollinghall", True),
    ],
)
def test_prefix_matches_within_the_allowed_typos(typed: str, word: str, matches: bool) -> None:
    assert is_prefix_match(typed, word) is matches


@pytest.mark.parametrize(
    ("typed", "quality"),
    [
        ("검정치마", 0),
        ("치마", 0),
        ("검정 치", 0),
        ("검정차마", 1),
        ("gomjongchima", 1),
        ("gmjnjm", 2),
        ("kumjung chima", 2),
        ("ㄱㅈㅊㅁ", 0),
        ("ㄱㅈ", 0),
        ("ㅈㅊ", None),
        ("-M-", None),
        ("토끼", None),
    ],
)
def test_quality_is_exact_then_typo_then_consonants(typed: str, quality: int | None) -> None:
    assert match_quality(typed, "검정치마") == quality
