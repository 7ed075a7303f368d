"""Money in minor units with its ISO 4217 currency."""

from dataclasses import dataclass

from domain.currencies import DIGITS, charge_limits, digits_of
from domain.errors import InvalidInput

CURRENCIES = frozenset(DIGITS)
"""The currencies that an event can be priced in"""
MOST_MINOR_UNITS = 2**53 - 1
"""The largest amount of the schema's MinorUnits: JSON's numbers are exact up to it in every client"""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (cents, won) of one currency."""

    amount: int
    currency: str

    @classmethod
    def checked(cls, amount: int, currency: str, path: str) -> "Money":
        """Check an amount that comes from outside.

        Raises:
            InvalidInput: an unknown currency, a negative amount, or one that no card can be charged.
        """
        if currency not in CURRENCIES:
            raise InvalidInput(f"{path}.currency: {currency[:8]!r} is not an ISO 4217 currency code.")
        money, limits = cls(amount, currency), charge_limits(currency)
        if amount < 0:
            raise InvalidInput(f"{path}.amount: must not be negative.")
        if amount > limits.most_minor:
            most = cls(limits.most_minor, currency)
            raise InvalidInput(f"{path}.amount: {money} is more than a card can be charged, {most}.")
        if amount % limits.step_minor:
            step = cls(limits.step_minor, currency)
            raise InvalidInput(
                f"{path}.amount: {money} cannot be charged: {currency} is charged in steps of {step}."
            )
        return money

    @property
    def digits(self) -> int:
        """The decimals of the currency by ISO 4217."""
        return digits_of(self.currency)

    @property
    def is_too_little_to_charge(self) -> bool:
        """Whether it is less than the least that a card can be charged; nothing at all is free."""
        return 0 < self.amount < charge_limits(self.currency).least_minor

    @property
    def is_too_much_to_charge(self) -> bool:
        """Whether it is more than a card can be charged at once."""
        return self.amount > charge_limits(self.currency).most_minor

    def __add__(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")
        return Money(self.amount + other.amount, self.currency)

    def __str__(self) -> str:
        """E.g. 1,499,000 minor units of HUF: "14,990.00 HUF"."""
        whole, fraction = divmod(abs(self.amount), 10**self.digits)
        sign = "-" if self.amount < 0 else ""
        decimals = f".{fraction:0{self.digits}}" if self.digits else ""
        return f"{sign}{whole:,}{decimals} {self.currency}"


def check_price(price: Money, fee: Money | None, path: str) -> None:
    """Check the price and the fee of a ticket, as createEvent and whatever changes a price get them.

    Raises:
        InvalidInput: with the path of the amount that cannot be charged, e.g. "priceLevels[1].fee.amount".
    """
    Money.checked(price.amount, price.currency, f"{path}.price")
    if fee is not None:
        Money.checked(fee.amount, fee.currency, f"{path}.fee")
    if fee is None or fee.currency == price.currency:
        _check_total(price, fee or Money(0, price.currency), f"{path}.price")


def _check_total(price: Money, fee: Money, path: str) -> None:
    total, limits = price + fee, charge_limits(price.currency)
    if total.is_too_little_to_charge:
        least = Money(limits.least_minor, total.currency)
        raise InvalidInput(
            f"{path}.amount: {total} is less than a card can be charged, {least}; 0 makes a ticket free."
        )
    if total.is_too_much_to_charge:
        most = Money(limits.most_minor, total.currency)
        raise InvalidInput(f"{path}.amount: {total} with the fee is more than a card can be charged, {most}.")
