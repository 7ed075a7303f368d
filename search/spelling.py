"""The spelling of names for search: Korean is romanised, so that one typo is one wrong letter.

Other scripts: see `search.folding`.

Hangul is written letter by letter in the Revised Romanization (검정치마 → geomjeongchima): a wrong
vowel in a syllable is then one wrong letter instead of another character, a half-typed syllable is a
prefix of the whole one, and the name can be typed as it sounds, without a Korean keyboard.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

from search.folding import compatible, folded, is_ideographs, paired

_INITIALS = "g kk n d tt r m b pp s ss - j jj ch k t p h".replace("-", "").split(" ")
_VOWELS = "a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i".split()
# A final is written like the same letter at the start of the next syllable, because it moves there
# while a Korean name is being typed (국 → 구경).
_FINALS = "- g kk gs n nj nh d l lg lm lb ls lt lp lh m b bs s ss ng j ch k t p h".replace("-", "").split(" ")
_FIRST_SYLLABLE, _LAST_SYLLABLE = 0xAC00, 0xD7A3
# Single letters (ㄱ, ㅏ), which occur while a syllable is being typed.
_LETTERS = dict(
    zip(
        "ㄱㄲㄳㄴㄵㄶㄷㄸㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅃㅄㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ",
        "g kk gs n nj nh d tt r lg lm lb ls lt lp lh m b pp bs s ss - j jj ch k t p h".replace("-", "").split(
            " "
        ),
        strict=True,
    )
)
_LETTERS.update(zip("ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ", _VOWELS, strict=True))
# The same letters as Unicode's compatibility normalisation writes them.
_LETTERS.update({chr(0x1100 + number): spelt for number, spelt in enumerate(_INITIALS)})
_LETTERS.update({chr(0x1161 + number): spelt for number, spelt in enumerate(_VOWELS)})
_LETTERS.update({chr(0x11A7 + number): spelt for number, spelt in enumerate(_FINALS)})

_MONTHS = "january february march april may june july august september october november december".split()
_YEAR_AND_MONTH = re.compile(r"\b((?:19|20)\d\d)\s?[-./년]\s?(0?[1-9]|1[0-2])(?:월|(?![\d:]))")
_MONTH = re.compile(r"(?<!\d)(0?[1-9]|1[0-2])월")
_YEAR = re.compile(r"((?:19|20)\d\d)년")
_CITY = re.compile(
    r"(서울|부산|대구|인천|광주|대전|울산|세종|제주)(?:특별시|광역시|특별자치시|특별자치도|시)(?![가-힣])"
)
_WORD = re.compile(r"[^\W_]+")
_APOSTROPHE = re.compile(r"(?<=\w)['’`´](?=\w)")
_HANGUL = re.compile(r"[가-힣]+")
_MAX_PARTS = 6
# Titles differ but their words recur: caching the spelling of each word makes indexing twice as fast.
_WORDS_CACHED = 32_768


@lru_cache(maxsize=65536)
def romanised(text: str) -> str:
    """The text as lowercase words of Latin letters and digits, separated by single spaces.

    Dates become words too: 3월 and March are both `march`, 2013.03 and 2013년 3월 are `2013 march`.
    Two neighbouring Chinese characters are a word, and the last one of a row is one by itself. Scripts that
    `folded` does not know stay unchanged.
    """
    return " ".join(_romanised_word(word) for word in _words(text))


def month_words(year: int, month: int) -> str:
    """The searchable words of a month, e.g. `2013 march mar`."""
    name = _MONTHS[month - 1]
    return f"{year} {name} {name[:3]}"


def joined(text: str) -> list[str]:
    """Words of a name without the spaces: each neighbouring pair (검정 치마 → geomjeongchima), and all."""
    words = [word for word in romanised(text).split() if not is_ideographs(word)]
    pairs = [first + second for first, second in pairwise(words)]
    whole = ["".join(words)] if 2 < len(words) <= 4 else []
    return pairs + whole


def parts(text: str) -> list[str]:
    """The suffixes and prefixes of long Korean words, so that 치마, 정치마 and 검정 find 검정치마."""
    return [part for word in _words(text) for part in _parts_of(word)]


def consonant_key(text: str) -> str:
    """The consonants of the words, grouped by their sound in Korean: 갤럭시 and Galaxy are both `glgs`.

    Words with fewer than two consonants are joined to the next one: alone they would match too much.
    """
    return " ".join(key for _, key in sound_groups(text))


def sound_groups(text: str) -> list[tuple[str, str]]:
    """The words of `consonant_key` as they are spelt, each with its consonants."""
    groups: list[tuple[str, str]] = []
    for word in romanised(text).split():
        key = "" if is_ideographs(word) else consonants(word)
        if groups and len(groups[-1][1]) < 2:
            groups[-1] = (groups[-1][0] + word, groups[-1][1] + key)
        elif key:
            groups.append((word, key))
    return groups


def aliases(name: str, biography: str) -> list[str]:
    """Other spellings that follow the name in a biography: `검정치마(The Black Skirts)는`."""
    bare = re.sub(r"\s*\([^)]*\)", "", name).strip() or name
    start = biography.find(bare)
    if start < 0 or start > 80:
        return []
    behind = re.match(r"\s*[(（]([^)）]{2,80})[)）]", biography[start + len(bare) :])
    if behind is None:
        return []
    spellings = re.split(r"[,;/·]|\w+어\s?:|\b(?:한글|본명|영문)\s?:", behind.group(1))
    return [text for text in map(str.strip, spellings) if _is_name(text)]


def unique(words: Iterable[str]) -> list[str]:
    """The words without duplicates, in their order."""
    return [word for word in dict.fromkeys(words) if word]


@lru_cache(maxsize=_WORDS_CACHED)
def _parts_of(word: str) -> tuple[str, ...]:
    found: list[str] = []
    for hangul in _HANGUL.findall(word):
        ends = [hangul[cut:] for cut in range(int(hangul == word), len(hangul) - 1)]
        beginnings = [hangul[:cut] for cut in range(2, len(hangul))]
        found.extend(map(_romanised_word, [*ends[:_MAX_PARTS], *beginnings[:_MAX_PARTS]]))
    return tuple(found)


def _is_name(text: str) -> bool:
    return len(text) > 1 and not re.search(r"\d{2}|[~年]", text)


@lru_cache(maxsize=1024)  # the romanisation, parts and consonant key of a text are computed in a row
def _words(text: str) -> tuple[str, ...]:
    spelt = compatible(text)
    spelt = _YEAR_AND_MONTH.sub(lambda found: f"{found[1]} {_MONTHS[int(found[2]) - 1]} ", spelt)
    spelt = _MONTH.sub(lambda found: f"{_MONTHS[int(found[1]) - 1]} ", spelt)
    spelt = _CITY.sub(r"\1", _YEAR.sub(r"\1 ", spelt))
    return tuple(_WORD.findall(_APOSTROPHE.sub("", spelt)))


@lru_cache(maxsize=_WORDS_CACHED)
def _romanised_word(word: str) -> str:
    if word.isascii():
        return word
    return " ".join(paired("".join(map(_letters, word)).split()))


def _letters(character: str) -> str:
    code = ord(character)
    if _FIRST_SYLLABLE <= code <= _LAST_SYLLABLE:
        initial, rest = divmod(code - _FIRST_SYLLABLE, 588)
        vowel, final = divmod(rest, 28)
        return _INITIALS[initial] + _VOWELS[vowel] + _FINALS[final]
    return _LETTERS[character] if character in _LETTERS else folded(character)


# The spellings of a sound, from left to right; a longer spelling is tried first.
_SOUNDS = re.compile(r"tion|sch|ch|ck|ph|sh|th|ng|qu|x|c(?=[eiy])|[a-z]|\d")
_CLASSES = {"tion": "sn", "sch": "s", "ch": "j", "ck": "g", "ph": "b", "sh": "s", "th": "s"}
_CLASSES |= {"ng": "n", "qu": "g", "x": "gs", "c": "g", "k": "g", "q": "g", "g": "g"}
_CLASSES |= {"d": "d", "t": "d", "b": "b", "p": "b", "f": "b", "v": "b", "j": "j", "z": "j"}
_CLASSES |= {"s": "s", "l": "l", "r": "l", "m": "m", "n": "n"}


@lru_cache(maxsize=_WORDS_CACHED)
def consonants(word: str) -> str:
    """The consonants of one romanised word, by their sound in Korean."""
    sounds = []
    for found in _SOUNDS.finditer(word):
        spelling = found[0]
        soft = spelling == "c" and word[found.end() : found.end() + 1] in tuple("eiy")
        sound = "s" if soft else spelling if spelling.isdigit() else _CLASSES.get(spelling, "")
        sounds.append(sound)
    return re.sub(r"([a-z])\1+", r"\1", "".join(sounds))
