"""Amounts of ours and of Stripe: the same number but for a few currencies (docs.stripe.com/currencies).

ISO 4217 gives the króna and the Ugandan shilling no decimals; Stripe still counts them in
hundredths, the last two digits always 00.
"""

STRIPE_PER_MINOR = {"ISK": 100, "UGX": 100}


def to_stripe(amount_minor: int, currency: str) -> int:
    return amount_minor * STRIPE_PER_MINOR.get(currency.upper(), 1)


def from_stripe(amount: int, currency: str) -> int:
    """Rounded down where Stripe has a fraction that the currency does not have."""
    return amount // STRIPE_PER_MINOR.get(currency.upper(), 1)
