"""Names that sound like what was typed."""

import pytest

from search.sounds import names_like


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("galaxy express", "갤럭시 익스프레스"),
        ("galaxy", "갤럭시 익스프레스"),
        ("guckkasten", "국카스텐"),
        ("romantic punch", "로맨틱펀치"),
        ("love x stereo", "러브엑스테레오 ( Love X Stereo )"),
        ("Chang Kiha", "장기하와 얼굴들 (장기하)"),
        ("metallica", "메탈리카"),
        ("coldplay", "콜드플레이"),
    ],
)
def test_alike_when_spoken_alike(typed: str, name: str) -> None:
    assert names_like(typed, {name: (), "롤링홀": ()}) == ((name,),)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Metallica", "무대륙"),  # the same consonants
        ("Beethoven", "부산"),
        ("galaxy express", "갤럭시"),
    ],
)
def test_not_alike_when_only_consonants_or_only_a_part_are_the_same(typed: str, name: str) -> None:
    assert names_like(typed, {name: ()}) == ()


def test_every_part_has_a_name_when_the_whole_has_none() -> None:
    names = {"갤럭시 익스프레스": (), "부산": (), "서울": ()}
    assert names_like("galaxy busan", names) == (("갤럭시 익스프레스",), ("부산",))
    assert names_like("coldplay busan", names) == ()


def test_other_spellings_stand_for_the_name_when_they_are_known() -> None:
    assert names_like("blag skirts", {"검정치마": ("Black Skirts",)}) == (("검정치마",),)
