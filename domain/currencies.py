"""Currencies: their decimals by ISO 4217, and what a card can be charged in each.

The decimals are the minor units of ISO's own list, which the package iso4217 ships. A locale's display
digits are something else: CLDR shows no decimals for HUF and IQD, which have two and three.

The limits are Stripe's (docs.stripe.com/currencies, "Minimum and maximum charge amounts" and "Special
cases", read in 2026-06; the larger ones of HUF, JPY and LBP are for cards and from the edition of 2025).
"""

from dataclasses import dataclass

from iso4217 import Currency

# The codes that were withdrawn while events were priced in them.
_WITHDRAWN = {"ANG": 2, "BGN": 2, "ZWL": 2}
# ISO's units of account and of funds, in which nobody pays.
_NOT_PAID_IN = frozenset("BOV CHE CHW CLF COU MXV USN UYI UYW XAD XSU XUA XDR".split())

DIGITS: dict[str, int] = _WITHDRAWN | {
    currency.code: currency.exponent
    for currency in Currency
    if currency.exponent is not None and currency.code not in _NOT_PAID_IN
}
"""The decimals of each currency that an event can be priced in"""

# The decimals of Stripe's amounts, where they are others than ISO's.
_STRIPE_DIGITS = {"ISK": 2, "UGX": 2, "MGA": 0}
# In whole units of the currency, or its fractions: Stripe publishes none for the others.
_LEAST_MINOR = {
    "AED": 200, "ARS": 50, "AUD": 50, "BGN": 100, "BRL": 50, "CAD": 50, "CHF": 50, "COP": 50, "CZK": 1_500,
    "DKK": 250, "EUR": 50, "GBP": 30, "HKD": 400, "HUF": 17_500, "IDR": 50, "ILS": 50, "INR": 50, "JPY": 50,
    "KRW": 50, "MXN": 1_000, "MYR": 200, "NOK": 300, "NZD": 50, "PHP": 50, "PLN": 200, "RON": 200, "RUB": 50,
    "SEK": 300, "SGD": 50, "THB": 1_000, "USD": 50, "ZAR": 50,
}  # fmt: skip
# The most digits of an amount in Stripe's units. Of all currencies a card may have up to 12, says the newest
# edition, but other editions and the API's reference say 8: these are what all of them allow.
_MOST_DIGITS = {"IDR": 12, "LBP": 11, "COP": 10, "HUF": 10, "JPY": 10, "INR": 9}
_USUAL_MOST_DIGITS = 8


@dataclass(frozen=True, slots=True)
class ChargeLimits:
    """What one charge of a currency can be: `least` to `most`, a multiple of `step`, in ISO's minor units.

    0 is free, and no charge.
    """

    least_minor: int
    most_minor: int
    step_minor: int


def digits_of(currency: str) -> int:
    """Return the decimals of a currency; two where ISO 4217 does not have it."""
    return DIGITS.get(currency, 2)


def stripe_digits_of(currency: str) -> int:
    """Return the decimals of a currency in Stripe's amounts."""
    return _STRIPE_DIGITS.get(currency, digits_of(currency))


def rescaled(amount: int, digits: int, wanted_digits: int) -> int:
    """Return an amount of so many decimals with as many as wanted, rounded down."""
    factor: int = 10 ** abs(digits - wanted_digits)
    return amount * factor if wanted_digits >= digits else amount // factor


def charge_limits(currency: str) -> ChargeLimits:
    """Return what Stripe can charge in a currency."""
    digits, theirs = digits_of(currency), stripe_digits_of(currency)
    # Stripe wants a 0 as the third decimal, and takes no fraction of a currency that has none there.
    step = 10 if digits == 3 else 10 ** max(0, digits - theirs)
    most = 10 ** _MOST_DIGITS.get(currency, _USUAL_MOST_DIGITS) - 1
    most = rescaled(most, theirs, digits)
    return ChargeLimits(max(step, _LEAST_MINOR.get(currency, 1)), most - most % step, step)
