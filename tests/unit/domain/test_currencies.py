"""Decimals of currencies, against an independent list, and what a card can be charged."""

import pytest
from moneyed import CURRENCIES as INDEPENDENT

from devservices.stripe import amounts as stripe_rules
from domain.currencies import DIGITS, charge_limits, stripe_digits_of
from domain.errors import InvalidInput
from domain.money import Money, check_price

# What py-moneyed 3.0, of 2022, does not have yet.
_NEWER = {"XCG", "ZWG"}


def test_every_currency_has_the_decimals_of_an_independent_list() -> None:
    theirs = {code: len(str(INDEPENDENT[code].sub_unit)) - 1 for code in DIGITS if code not in _NEWER}

    assert {code: DIGITS[code] for code in theirs} == theirs
    assert len(theirs) > 150


@pytest.mark.parametrize(
    ("currency", "digits"),
    [
        ("HUF", 2),
        ("IQD", 3),
        ("KRW", 0),
        ("JPY", 0),
        ("KWD", 3),
        ("IDR", 2),
        ("COP", 2),
        ("MGA", 2),
        ("ISK", 0),
    ],
)
def test_decimals_are_isos_and_not_a_locales(currency: str, digits: int) -> None:
    assert Money(0, currency).digits == digits


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(1_499_000, "HUF"), "14,990.00 HUF"),
        (Money(25_000_000, "IQD"), "25,000.000 IQD"),
        (Money(45_000, "KRW"), "45,000 KRW"),
        (Money(5, "USD"), "0.05 USD"),
        (Money(-1_205, "KWD"), "-1.205 KWD"),
        (Money(999_999_999_999, "IDR"), "9,999,999,999.99 IDR"),
    ],
)
def test_an_amount_is_written_with_its_currencys_decimals(money: Money, text: str) -> None:
    assert str(money) == text


@pytest.mark.parametrize("currency", sorted(DIGITS))
def test_what_is_accepted_is_what_the_local_stripe_charges(currency: str) -> None:
    code, limits = currency.lower(), charge_limits(currency)
    per_unit = 10 ** stripe_digits_of(currency) / 10 ** DIGITS[currency]

    assert limits.least_minor * per_unit >= stripe_rules.MINIMUM.get(code, 1)
    most = 10 ** stripe_rules.DIGITS.get(code, stripe_rules.USUAL_DIGITS) - 1
    assert (
        most - stripe_rules.STEPS.get(code, 10 if DIGITS[currency] == 3 else 1)
        < limits.most_minor * per_unit
        <= most
    )
    assert limits.step_minor * per_unit % stripe_rules.STEPS.get(code, 1) == 0


@pytest.mark.parametrize(
    ("money", "fault"),
    [
        (
            Money(18_605, "KWD"),
            "p.amount: 18.605 KWD cannot be charged: KWD is charged in steps of 0.010 KWD.",
        ),
        (Money(150, "MGA"), "p.amount: 1.50 MGA cannot be charged: MGA is charged in steps of 1.00 MGA."),
        (
            Money(100_000_000, "USD"),
            "p.amount: 1,000,000.00 USD is more than a card can be charged, 999,999.99 USD.",
        ),
        (Money(1_000_000, "ISK"), "p.amount: 1,000,000 ISK is more than a card can be charged, 999,999 ISK."),
        (Money(-5, "EUR"), "p.amount: must not be negative."),
        (Money(5, "EURO"), "p.currency: 'EURO' is not an ISO 4217 currency code."),
        (Money(5, "XAU"), "p.currency: 'XAU' is not an ISO 4217 currency code."),
    ],
)
def test_an_amount_that_cannot_be_charged_is_refused_by_its_field(money: Money, fault: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Money.checked(money.amount, money.currency, "p")

    assert caught.value.message == fault


@pytest.mark.parametrize(
    "money",
    [
        Money(15_000_000_000, "IDR"),
        Money(25_000_000, "COP"),
        Money(9_999_999_999, "COP"),
        Money(18_600, "KWD"),
        Money(200, "MGA"),
        Money(0, "EUR"),
    ],
)
def test_an_amount_is_accepted_when_it_can_be_charged(money: Money) -> None:
    assert Money.checked(money.amount, money.currency, "p") == money
    check_price(money, None, "p")


@pytest.mark.parametrize(
    ("price", "fee", "fault"),
    [
        (
            30,
            0,
            "p.price.amount: 0.30 EUR is less than a card can be charged, 0.50 EUR; 0 makes a ticket free.",
        ),
        (
            0,
            49,
            "p.price.amount: 0.49 EUR is less than a card can be charged, 0.50 EUR; 0 makes a ticket free.",
        ),
        (
            99_999_999,
            1,
            (
                "p.price.amount: 1,000,000.00 EUR with the fee is more than a card can be charged,"
                " 999,999.99 EUR."
            ),
        ),
    ],
)
def test_a_ticket_is_refused_when_its_price_and_fee_cannot_be_charged(
    price: int, fee: int, fault: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_price(Money(price, "EUR"), Money(fee, "EUR"), "p")

    assert caught.value.message == fault


def test_a_small_price_is_accepted_when_the_fee_makes_it_chargeable() -> None:
    check_price(Money(30, "EUR"), Money(20, "EUR"), "p")
