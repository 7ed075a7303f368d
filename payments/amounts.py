"""Amounts of ours and of Stripe: the same number but where Stripe's decimals are not ISO 4217's.

Those are ISK and UGX, which Stripe counts in hundredths that are always 00, and MGA, which it counts whole.
"""

from domain.currencies import digits_of, rescaled, stripe_digits_of


def to_stripe(amount_minor: int, currency: str) -> int:
    """Return Stripe's amount, rounded down where it has fewer decimals; `charge_limits` allows no such."""
    code = currency.upper()
    return rescaled(amount_minor, digits_of(code), stripe_digits_of(code))


def from_stripe(amount: int, currency: str) -> int:
    """Return our amount, rounded down where Stripe has a fraction that the currency does not have."""
    code = currency.upper()
    return rescaled(amount, stripe_digits_of(code), digits_of(code))
