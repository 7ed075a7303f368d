"""The lines of an order add up to its total."""

from domain.money import Money
from domain.price_lines import PriceLine, PriceLineKind, price_lines


def usd(amount: int) -> Money:
    return Money(amount, "USD")


def test_tickets_of_one_level_share_a_line_when_an_order_has_two_levels() -> None:
    tickets = [("Stalls", usd(4_500)), ("Floor", usd(9_000)), ("Stalls", usd(4_000))]

    assert price_lines(tickets, usd(750)) == [
        PriceLine(PriceLineKind.TICKET, "Stalls", usd(8_500)),
        PriceLine(PriceLineKind.TICKET, "Floor", usd(9_000)),
        PriceLine(PriceLineKind.FEE, "Fees", usd(750)),
    ]


def test_no_fee_is_listed_when_nothing_is_added() -> None:
    assert price_lines([("Free", usd(0))], usd(0)) == [PriceLine(PriceLineKind.TICKET, "Free", usd(0))]
