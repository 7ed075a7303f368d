"""Minor units here and at Stripe."""

import pytest

from payments.amounts import from_stripe, to_stripe


@pytest.mark.parametrize(
    ("currency", "ours", "theirs"),
    [
        ("USD", 4550, 4550),
        ("KRW", 88_000, 88_000),
        ("JPY", 500, 500),
        ("KWD", 1_230, 1_230),
        ("ISK", 4_500, 450_000),
        ("ugx", 20_000, 2_000_000),
        ("MGA", 1_000_000, 10_000),
        ("HUF", 1_499_000, 1_499_000),
        ("IDR", 999_999_999_999, 999_999_999_999),
    ],
)
def test_amount_is_the_same_money_when_it_goes_there_and_back(currency: str, ours: int, theirs: int) -> None:
    assert to_stripe(ours, currency) == theirs
    assert from_stripe(theirs, currency) == ours
