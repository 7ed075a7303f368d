"""Korean concert prices as people write them: "예매 33,000원 현매 40,000원", "1만5천원", "무료"."""

import re

MOST_WON = 1_000_000

_FREE = re.compile(
    r"무료|자율|버스킹|busking|free(?!\s*drink)|프리$|없[는음]|[공꽁]짜|기부|donation|no\s*cover|후원|후불|^0(원|won)?\b",
    re.IGNORECASE,
)
_ADVANCE = "예매"
_DIGITS = dict(zip("일이삼사오육칠팔구", "123456789", strict=True))
_SPELLED = re.compile(r"[일이삼사오육칠팔구](?=[만천])")
# 1만5천 · 1.5만 · 만5천 · 5천 · 12천 · 33,000 · 20.000 · 15000
_AMOUNT = re.compile(
    r"""
    (?P<ten_thousands>\d+(?:\.\d+)?|(?<![가-힣\d]))만\s*(?:(?P<and_thousands>\d)\s*천)?
    | (?P<thousands>\d+)\s*천
    | (?P<won>\d{1,3}(?:[,.]\d{3})+|\d{4,7})(?!\d)
    """,
    re.VERBOSE,
)


def price_in_won(text: str | None) -> int | None:
    """The price of one advance ticket; 0 where it is free, None where the text does not say.

    Of several prices the one marked 예매 (in advance) counts, as "예매 20,000" or "20,000(예매)";
    otherwise the first.
    """
    if not text:
        return None
    plain = _SPELLED.sub(lambda digit: _DIGITS[digit.group()], text)
    amounts = [match for match in _AMOUNT.finditer(plain) if _is_price(_won(match))]
    if not amounts:
        return 0 if _FREE.search(plain) else None
    return _won(_advance(plain, amounts))


def _advance(text: str, amounts: list[re.Match[str]]) -> re.Match[str]:
    for match in amounts:
        if re.match(r"\s*원?\s*\(\s*" + _ADVANCE, text[match.end() :]):
            return match
    mark = text.find(_ADVANCE)
    return next((match for match in amounts if match.start() > mark), amounts[0])


def _is_price(won: int) -> bool:
    # Numbers in addresses, years and room numbers are not whole hundreds.
    return won <= MOST_WON and won % 100 == 0


def _won(match: re.Match[str]) -> int:
    if won := match["won"]:
        return int(won.replace(",", "").replace(".", ""))
    if thousands := match["thousands"]:
        return 1_000 * int(thousands)
    tens = float(match["ten_thousands"] or 1)
    return round(10_000 * tens) + 1_000 * int(match["and_thousands"] or 0)
