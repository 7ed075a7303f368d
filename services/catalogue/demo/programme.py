"""The events of the demo. Every venue, artist and title is invented."""

from dataclasses import dataclass, field

from domain.money import Money
from domain.seating import GeneralAdmission, PriceInput
from services.catalogue.demo.seating_plans import STANDING


@dataclass(frozen=True, slots=True)
class DemoVenue:
    """A venue of the demo."""

    name: str
    address: str
    city: str
    country: str
    lat: float
    lng: float
    timezone: str
    currency: str


@dataclass(frozen=True, slots=True)
class DemoEvent:
    """An event, so many days after the demo is loaded, at an hour of its venue."""

    key: str
    name: str
    description: str
    category: str
    venue: str
    performers: tuple[str, ...]
    days: int
    hour: int
    plan: str | None = None
    prices: tuple[PriceInput, ...] = ()
    general_admission: tuple[GeneralAdmission, ...] = ()
    on_sale_in_days: int | None = field(default=None)


VENUES = {
    "arena": DemoVenue(
        "한빛 아레나 (Hanbit Arena)",
        "서울 송파구 은하로 1",
        "서울",
        "KR",
        37.5153,
        127.0730,
        "Asia/Seoul",
        "KRW",
    ),
    "theatre": DemoVenue(
        "Lumen Theatre", "12 Lantern Row", "London", "GB", 51.5115, -0.1220, "Europe/London", "GBP"
    ),
    "moonlight": DemoVenue(
        "달빛 라이브홀", "서울 마포구 달맞이길 7", "서울", "KR", 37.5510, 126.9220, "Asia/Seoul", "KRW"
    ),
    "wave": DemoVenue(
        "파도 스테이지", "부산 수영구 파도길 21", "부산", "KR", 35.1532, 129.1187, "Asia/Seoul", "KRW"
    ),
    "hill": DemoVenue(
        "무등 소극장", "광주 동구 언덕로 3", "광주", "KR", 35.1468, 126.9230, "Asia/Seoul", "KRW"
    ),
    "kesselhaus": DemoVenue(
        "Kesselhaus Nord", "Dampfgasse 9", "Berlin", "DE", 52.5390, 13.4140, "Europe/Berlin", "EUR"
    ),
    "copper": DemoVenue(
        "The Copper Room",
        "88 Foundry Street",
        "New York",
        "US",
        40.7210,
        -73.9870,
        "America/New_York",
        "USD",
    ),
    "marea": DemoVenue(
        "Sala Marea", "Carrer de la Sal 14", "Barcelona", "ES", 41.3790, 2.1890, "Europe/Madrid", "EUR"
    ),
}

ARENA_PRICES = tuple(
    PriceInput(category, Money(price, "KRW"), Money(3_000, "KRW"))
    for category, price in (
        ("Lower A", 165_000),
        ("Lower B", 143_000),
        ("Upper A", 110_000),
        ("Upper B", 88_000),
        ("Wheelchair", 88_000),
    )
)
ARENA_FLOOR = (GeneralAdmission(STANDING, 2_000, Money(154_000, "KRW"), Money(3_000, "KRW")),)
THEATRE_PRICES = tuple(
    PriceInput(category, Money(price, "GBP"), Money(250, "GBP"))
    for category, price in (
        ("Premium", 9_500),
        ("Stalls", 6_500),
        ("Circle", 5_000),
        ("Balcony", 3_000),
        ("Wheelchair", 3_000),
        ("Restricted view", 2_000),
    )
)

_HOUSES = [
    DemoEvent(
        "arena-1",
        "은하수 Starlight Tour — 서울, first night",
        "은하수 brings the Starlight Tour home: two nights in the round, 130 musicians and one sky.",
        "Pop",
        "arena",
        ("은하수", "Paper Comets"),
        26,
        19,
        "arena",
        ARENA_PRICES,
        ARENA_FLOOR,
    ),
    DemoEvent(
        "arena-2",
        "은하수 Starlight Tour — 서울, second night",
        "The second of two nights. Doors open two hours before.",
        "Pop",
        "arena",
        ("은하수", "Glass Tigers"),
        27,
        18,
        "arena",
        ARENA_PRICES,
        ARENA_FLOOR,
    ),
    DemoEvent(
        "arena-3",
        "한빛 겨울 음악제 (Hanbit Winter Festival)",
        "Six bands, one arena. On sale next week.",
        "Rock",
        "arena",
        ("북극여우", "Glass Tigers", "하얀 소음"),
        60,
        17,
        "arena",
        ARENA_PRICES,
        ARENA_FLOOR,
        on_sale_in_days=7,
    ),
    DemoEvent(
        "theatre-1",
        "The Glass Orchard",
        "A play in three acts about a family, a winter and the fruit that would not fall.",
        "Theatre",
        "theatre",
        ("The Lumen Company",),
        9,
        19,
        "theatre",
        THEATRE_PRICES,
    ),
    DemoEvent(
        "theatre-2",
        "The Glass Orchard (matinee)",
        "The same play by daylight.",
        "Theatre",
        "theatre",
        ("The Lumen Company",),
        12,
        14,
        "theatre",
        THEATRE_PRICES,
    ),
    DemoEvent(
        "theatre-3",
        "Nocturnes: Mira Solenne plays by candlelight",
        "Piano, two hundred candles, no interval.",
        "Classical",
        "theatre",
        ("Mira Solenne",),
        34,
        20,
        "theatre",
        THEATRE_PRICES,
    ),
]

# key, name, performers, venue, category, price in minor units, places, days from now, hour
_CLUB_NIGHTS: list[tuple[str, str, tuple[str, ...], str, str, int, int, int, int]] = [
    ("club-1", "하얀 소음: 첫눈", ("하얀 소음",), "moonlight", "Rock", 33_000, 250, 3, 20),
    ("club-2", "북극여우 단독 공연", ("북극여우",), "moonlight", "Indie", 38_000, 250, 6, 19),
    ("club-3", "달빛 재즈의 밤", ("윤슬 트리오", "Otto Kranich"), "moonlight", "Jazz", 25_000, 180, 8, 20),
    ("club-4", "Paper Comets 내한 공연", ("Paper Comets",), "moonlight", "Pop", 55_000, 300, 14, 20),
    ("club-5", "골목 포크: 가을 편지", ("서리", "나무와 새"), "moonlight", "Folk", 20_000, 150, 20, 18),
    ("club-6", "심야 택시", ("심야 택시", "하얀 소음"), "moonlight", "Electronic", 30_000, 300, 31, 22),
    ("club-7", "파도 위의 블루스", ("남항 블루스 밴드",), "wave", "Blues", 25_000, 200, 5, 20),
    ("club-8", "등대 (Lighthouse) EP 발매 공연", ("등대",), "wave", "Rock", 30_000, 220, 11, 19),
    ("club-9", "윤슬 트리오, 바다에서", ("윤슬 트리오",), "wave", "Jazz", 28_000, 160, 18, 20),
    ("club-10", "부산 펑크 연합", ("깡통시장", "등대", "갈매기떼"), "wave", "Punk", 18_000, 300, 25, 19),
    ("club-11", "무료 공연: 나무와 새", ("나무와 새",), "wave", "Acoustic", 0, 120, 29, 17),
    ("club-12", "언덕 위의 노래", ("서리",), "hill", "Acoustic", 22_000, 120, 7, 19),
    ("club-13", "판소리와 전자음악", ("소리결", "심야 택시"), "hill", "World", 27_000, 140, 22, 19),
    ("club-14", "무등 힙합 데이", ("MC 고개", "DJ 바람골"), "hill", "Hip-Hop", 25_000, 200, 36, 20),
    ("club-15", "Otto Kranich Quartett", ("Otto Kranich",), "kesselhaus", "Jazz", 2_800, 220, 4, 20),
    ("club-16", "Maschinenraum", ("Ventil", "Klara Funk"), "kesselhaus", "Electronic", 2_200, 500, 10, 23),
    ("club-17", "Glass Tigers", ("Glass Tigers",), "kesselhaus", "Rock", 3_400, 600, 16, 20),
    ("club-18", "Nebel & Licht", ("Klara Funk",), "kesselhaus", "Electronic", 2_500, 400, 24, 22),
    ("club-19", "Lieder ohne Dach", ("Anselm Roth",), "kesselhaus", "Folk", 1_900, 180, 33, 19),
    ("club-20", "The Velvet Switchboard", ("The Velvet Switchboard",), "copper", "Indie", 3_500, 300, 2, 20),
    ("club-21", "Brass on Foundry Street", ("Foundry Street Nine",), "copper", "Jazz", 4_000, 200, 9, 21),
    ("club-22", "Low Tide Country", ("June Halloway",), "copper", "Folk", 3_000, 220, 15, 20),
    ("club-23", "Paper Comets", ("Paper Comets",), "copper", "Pop", 4_500, 350, 21, 20),
    ("club-24", "Static Prayer", ("Static Prayer", "Glass Tigers"), "copper", "Metal", 3_200, 350, 28, 20),
    ("club-25", "Rumba de la Sal", ("Los Salineros",), "marea", "World", 2_400, 260, 6, 21),
    ("club-26", "Mira Solenne, petit format", ("Mira Solenne",), "marea", "Classical", 3_000, 150, 13, 20),
    ("club-27", "Nit de Punk", ("Quilombo Club",), "marea", "Punk", 1_800, 300, 19, 22),
    ("club-28", "Marea Electrónica", ("Ventil", "Marina Alba"), "marea", "Electronic", 2_600, 400, 30, 23),
]


def _club_night(
    key: str,
    name: str,
    performers: tuple[str, ...],
    venue: str,
    category: str,
    price: int,
    places: int,
    days: int,
    hour: int,
) -> DemoEvent:
    money = Money(price, VENUES[venue].currency)
    return DemoEvent(
        key,
        name,
        f"{', '.join(performers)} live at {VENUES[venue].name}. Doors open an hour before.",
        category,
        venue,
        performers,
        days,
        hour,
        general_admission=(GeneralAdmission("Standing", places, money),),
    )


EVENTS = [*_HOUSES, *(_club_night(*row) for row in _CLUB_NIGHTS)]
