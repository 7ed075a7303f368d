"""The city of a Korean address, under the name that people search for: 서울, 부산, 성남, 제주.

Addresses have many forms: 서울특별시, 서울시, 서울, 경기도 성남시, 용인시, or a district alone. Where no rule
fits, the coordinates decide.
"""

import re
from math import hypot

_METROPOLIS = re.compile(r"(서울|부산|대구|인천|광주|대전|울산|세종)")
_PROVINCE = re.compile(
    r"(경기|강원|충북|충남|충청[남북]|전북|전남|전라[남북]|경북|경남|경상[남북]|제주)(특별자치)?도?$"
)
_TOWN = re.compile(r"([가-힣]{2,3}?)(시|군|$)(?<![읍면동로길구])")
_MIDDLES = {
    "서울": (37.566, 126.978),
    "부산": (35.180, 129.075),
    "대구": (35.871, 128.601),
    "인천": (37.456, 126.705),
    "광주": (35.160, 126.851),
    "대전": (36.350, 127.385),
    "울산": (35.539, 129.311),
    "세종": (36.480, 127.289),
    "수원": (37.264, 127.029),
    "성남": (37.420, 127.127),
    "고양": (37.658, 126.832),
    "전주": (35.824, 127.148),
    "청주": (36.642, 127.489),
    "춘천": (37.881, 127.730),
    "강릉": (37.752, 128.876),
    "창원": (35.228, 128.681),
    "포항": (36.019, 129.343),
    "제주": (33.500, 126.531),
}


def city_of(address: str, lat: float, lng: float) -> str:
    """The city of a venue, by its coordinates where the address does not say it."""
    return city_in(address) or _nearest(lat, lng)


def city_in(address: str) -> str | None:
    """The city that an address names; None where it names none."""
    head, *rest = address.split() or [""]
    if metropolis := _METROPOLIS.match(head):
        return metropolis[1]
    if _PROVINCE.match(head):
        if rest and (town := _TOWN.match(rest[0])):
            return town[1]
    elif town := _TOWN.match(head):
        return town[1]
    return None


def _nearest(lat: float, lng: float) -> str:
    # In Korea a degree of longitude is about four fifths of one of latitude.
    return min(_MIDDLES, key=lambda city: hypot(_MIDDLES[city][0] - lat, 0.8 * (_MIDDLES[city][1] - lng)))
