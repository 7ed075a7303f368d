"""Price bands for the facets, for currencies with and without decimals."""

from bisect import bisect_right

from domain.currencies import DIGITS

WHOLE_CURRENCIES = frozenset(code for code, digits in DIGITS.items() if digits == 0)
STEPS_WHOLE = (1, 10_000, 20_000, 30_000, 50_000, 100_000)
STEPS = (1, 1_000, 2_000, 5_000, 10_000, 20_000)


def price_band(price_minor: int | None, currency: str | None) -> str | None:
    """E.g. `KRW 10000-20000`, lower bound included, in minor units; `KRW 0` is free entry."""
    if price_minor is None or currency is None:
        return None
    return band_name(currency, bisect_right(_steps(currency), price_minor))


def band_name(currency: str, number: int) -> str:
    """The name of a currency's n-th band; the first, number 0, is free entry."""
    steps = _steps(currency)
    if number == 0:
        return f"{currency} 0"
    low = steps[number - 1]
    return f"{currency} {low}-{steps[number]}" if number < len(steps) else f"{currency} {low}-"


def bands_of(currency: str) -> list[str]:
    """The names of all bands of a currency."""
    return [band_name(currency, number) for number in range(len(_steps(currency)) + 1)]


def _steps(currency: str) -> tuple[int, ...]:
    return STEPS_WHOLE if currency in WHOLE_CURRENCIES else STEPS
