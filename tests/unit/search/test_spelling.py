"""Romanisation, consonant keys and aliases."""

import pytest

from search.spelling import aliases, consonant_key, joined, month_words, parts, romanised


@pytest.mark.parametrize(
    ("text", "spelt"),
    [
        ("검정치마", "geomjeongchima"),
        ("검ㅈ", "geomj"),
        ("국", "gug"),
        ("10cm & 국카스텐 (Guckkasten)", "10cm gugkaseuten guckkasten"),
        ("Beyoncé", "beyonce"),
        ("Rock 'n' Roll", "rock n roll"),
        ("Rock’n’Roll", "rocknroll"),
        ("2013년 3월", "2013 march"),
        ("2013-03", "2013 march"),
        ("2015.3.24(화)", "2015 march 24 hwa"),
        ("12월", "december"),
        ("서울특별시 마포구", "seoul mapogu"),
        ("！？ ~", ""),
        ("Łódź", "lodz"),
        ("Ełk", "elk"),
        ("Gießen GIESSEN", "giessen giessen"),
        ("Ħal Għargħur", "hal gharghur"),
        ("Þursaflokkurinn", "thursaflokkurinn"),
        ("Đorđe Mø Æther", "dorde mo aether"),
        ("İstanbul", "istanbul"),
        ("ヨルシカ よるしか", "yorushika yorushika"),
        ("Кино", "kino"),
        ("五月天", "10201161026376 10263761022825 1022825"),
        ("宇多田ヒカル", "10234311022810 10228101030000 1030000 hikaru"),
    ],
)
def test_text_is_romanised(text: str, spelt: str) -> None:
    assert romanised(text) == spelt


@pytest.mark.parametrize(
    ("korean", "latin"),
    [
        ("갤럭시 익스프레스", "Galaxy Express"),
        ("국카스텐", "Guckkasten"),
        ("로맨틱펀치", "Romantic Punch"),
        ("러브엑스테레오", "Love X Stereo"),
    ],
)
def test_consonant_keys_are_equal_when_names_sound_the_same(korean: str, latin: str) -> None:
    assert _without_repetition(korean) == _without_repetition(latin)


def _without_repetition(name: str) -> str:
    key = consonant_key(name).replace(" ", "")
    return "".join(letter for letter, after in zip(key, key[1:] + " ", strict=True) if letter != after)


@pytest.mark.parametrize(
    ("simplified", "traditional"),
    [("张惠妹", "張惠妹"), ("演唱会", "演唱會"), ("台北", "臺北"), ("邓丽君", "鄧麗君")],
)
def test_spelt_alike_when_written_in_simplified_and_traditional_chinese(
    simplified: str, traditional: str
) -> None:
    assert romanised(simplified) == romanised(traditional)


def test_chinese_characters_are_neither_joined_nor_consonants() -> None:
    assert (joined("五月天 Mayday Live"), consonant_key("五月天")) == (["maydaylive"], "")


def test_syllable_typed_so_far_is_a_prefix_when_more_follows() -> None:
    typed = ["ㄱ", "거", "검", "검ㅈ", "검저", "검정", "검정ㅊ", "검정치", "검정침", "검정치마"]
    assert all(romanised("검정치마").startswith(romanised(each)) for each in typed)


def test_words_are_joined_and_split_into_parts() -> None:
    assert joined("사비나 앤 드론즈") == ["sabinaaen", "aendeuronjeu", "sabinaaendeuronjeu"]
    assert parts("검정치마") == ["jeongchima", "chima", "geomjeong", "geomjeongchi"]
    assert parts("Muse") == []


@pytest.mark.parametrize(
    ("name", "biography", "found"),
    [
        ("검정치마", "검정치마(The Black Skirts)는 2004년", ["The Black Skirts"]),
        ("갤럭시 익스프레스", "갤럭시 익스프레스 (영어: Galaxy Express)는", ["Galaxy Express"]),
        ("야광토끼", "야광토끼(Neon Bunny, 1983년 2월 14일 ~)는", ["Neon Bunny"]),
        ("오지은", "오지은(1981년 9월 20일 ~)은", []),
        ("10cm", "", []),
    ],
)
def test_alias_is_read_when_it_follows_the_name(name: str, biography: str, found: list[str]) -> None:
    assert aliases(name, biography) == found


def test_month_has_its_words() -> None:
    assert month_words(2027, 3) == "2027 march mar"
