"""The category of an event, from the genres of its performers."""

from collections import Counter
from collections.abc import Iterable

OTHER = "Concert"

# Searched for within a genre's letters; the first match names the category.
_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Hip-Hop", ("hiphop", "rap", "힙합", "랩")),
    ("Metal", ("metal", "메탈")),
    ("Punk", ("punk", "hardcore", "펑크")),
    ("Jazz", ("jazz", "swing", "bossa", "samba", "재즈")),
    ("Blues", ("blues", "블루스")),
    ("Folk", ("folk", "country", "fingerstyle", "포크")),
    ("Acoustic", ("acoustic", "acuostic", "healing", "어쿠스틱")),
    ("Electronic", ("electronic", "edm", "synth", "dance", "disco", "techno", "house", "일렉트로닉")),
    ("Reggae & Ska", ("reggae", "ska", "레게", "스카")),
    ("R&B & Soul", ("soul", "rnb", "funk", "알앤비", "소울")),
    ("Classical", ("classic", "opera", "클래식")),
    ("World", ("world", "국악", "gugak", "fusion")),
    ("Indie", ("indie", "인디")),
    ("Rock", ("rock", "grunge", "garage", "psychedelic", "shoegaz", "noise", "alternative", "락", "록")),
    ("Ballad", ("ballad", "발라드")),
    ("Pop", ("pop", "newwave", "팝")),
)


def category_of(genres: Iterable[str]) -> str:
    """The category that most genres belong to, the first on a tie; "Concert" where no genre is known."""
    counts = Counter(known for genre in genres if (known := _category(genre)))
    return counts.most_common(1)[0][0] if counts else OTHER


def _category(genre: str) -> str | None:
    letters = "".join(filter(str.isalpha, genre.casefold()))
    fits = (name for name, words in _WORDS if any(word in letters for word in words))
    return next(fits, None)
