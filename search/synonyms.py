"""Synonyms in Korean and English, such as concert and gig."""

from search.spelling import romanised

_GROUPS = (
    ("콘서트", "공연", "concert", "gig"),
    ("라이브", "live"),
    ("페스티벌", "페스티발", "페스타", "festival", "fest"),
    ("클럽", "club"),
    ("홀", "hall"),
    ("밴드", "band"),
    ("재즈", "jazz"),
    ("록", "락", "rock"),
    ("블루스", "blues"),
    ("펑크", "punk"),
    ("메탈", "metal"),
    ("포크", "folk"),
    ("힙합", "hiphop"),
    ("일렉트로닉", "electronic"),
    ("카페", "cafe"),
    ("트리오", "trio"),
    ("쿼텟", "콰르텟", "quartet"),
    ("퀸텟", "quintet"),
    ("오케스트라", "orchestra"),
    ("극장", "씨어터", "시어터", "theater", "theatre"),
    ("소극장", "playhouse"),
    ("파티", "party"),
    ("쇼케이스", "showcase"),
    ("투어", "tour"),
    ("앨범", "album"),
    ("발매", "release"),
    ("크리스마스", "성탄절", "christmas", "xmas"),
    ("연말", "송년"),
)

_TRADE = """
    콘서트 공연 라이브 페스티벌 페스티발 투어 쇼케이스 단독 내한 앙코르 앵콜 버스킹 팬미팅 리사이틀 음악회
    티켓 예매
    演唱会 演唱會 音乐会 音樂會 巡演 门票 門票 公演 コンサート ライブ ツアー チケット
"""
# Words for a concert, or for going to one, that are typed behind an artist's name without a space.
TRADE_WORDS = tuple(_TRADE.split())


def synonyms() -> dict[str, list[str]]:
    """The synonyms of each word, all romanised."""
    found: dict[str, list[str]] = {}
    for group in _GROUPS:
        words = [romanised(word) for word in group]
        for word in words:
            found[word] = sorted({*found.get(word, []), *words} - {word})
    return found
