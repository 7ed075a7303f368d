"""What makes up an order's total, a line each."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from domain.money import Money


class PriceLineKind(StrEnum):
    """What a line of an order is for. A DISCOUNT is negative."""

    TICKET = "TICKET"
    FEE = "FEE"
    TAX = "TAX"
    DISCOUNT = "DISCOUNT"


@dataclass(frozen=True, slots=True)
class PriceLine:
    """One line, in the order's currency."""

    kind: PriceLineKind
    name: str
    amount: Money


def price_lines(tickets: Iterable[tuple[str, Money]], fees: Money) -> list[PriceLine]:
    """The lines of an order: one for the tickets of each price level, then one for all fees, if any.

    `tickets` are the price levels' names with the prices agreed, without fees; the lines add up to these and
    `fees`.
    """
    sums: dict[str, Money] = {}
    for name, price in tickets:
        sums[name] = sums[name] + price if name in sums else price
    lines = [PriceLine(PriceLineKind.TICKET, name, amount) for name, amount in sums.items()]
    return lines + [PriceLine(PriceLineKind.FEE, "Fees", fees)] * (fees.amount > 0)
