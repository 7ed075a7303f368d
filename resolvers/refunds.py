"""Refunds of orders, and the lines that make up a total."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from db.queries.refunds import OrderRefundRow
from domain.ids import Kind, public_id
from domain.money import Money
from domain.price_lines import PriceLine, price_lines
from domain.states import REFUND_STATUS, RefundStatus
from resolvers.context import RequestContext
from resolvers.orders import OrderView
from resolvers.tickets import TicketView, tickets_of


@dataclass(frozen=True, slots=True)
class RefundView:
    """A refund of an order."""

    row: OrderRefundRow
    order: OrderView

    @property
    def public_id(self) -> str:
        """E.g. ref_01jd3x8k2m9q4r5s6t7v8w9x0y."""
        return public_id(Kind.REFUND, self.row.id)

    @property
    def amount(self) -> Money:
        """The money that goes back, fees included."""
        return Money(self.row.amount_minor, self.order.row.currency)

    @property
    def status(self) -> RefundStatus:
        """What has become of it."""
        return REFUND_STATUS[self.row.state]

    @property
    def reason(self) -> str | None:
        """What the organiser wrote."""
        return self.row.reason

    @property
    def created_at(self) -> datetime:
        """The time of the decision."""
        return self.row.created_at


async def refunds_of(context: RequestContext, order: OrderView) -> list[RefundView]:
    """Return an order's refunds, oldest first."""
    return [RefundView(row, order) for row in await context.loaders.refunds.load(order.row.id)]


async def refunded_of(context: RequestContext, order: OrderView) -> Money:
    """Return the sum of an order's refunds, without those that failed."""
    refunds = await refunds_of(context, order)
    standing = (refund.amount for refund in refunds if refund.status is not RefundStatus.FAILED)
    return sum(standing, start=Money(0, order.row.currency))


async def tickets_of_refund(context: RequestContext, refund: RefundView) -> list[TicketView]:
    """Return the tickets that a refund ended; none where it was made at the gateway by hand."""
    tickets = await tickets_of(context, refund.order)
    return [ticket for ticket in tickets if ticket.claim.refund_id == refund.row.id]


async def lines_of(context: RequestContext, order: OrderView) -> Sequence[PriceLine]:
    """Return what makes up an order's total, those tickets included that were refunded since."""
    tickets = await tickets_of(context, order)
    return price_lines(((ticket.price_level.name, ticket.price) for ticket in tickets), order.fees)
