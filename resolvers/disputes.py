"""Disputes of payments, for the organiser of the event alone."""

from dataclasses import dataclass
from datetime import datetime

from db.queries.disputes import DisputeRow
from domain.money import Money
from domain.states import DisputeState
from domain.viewer import Scope
from resolvers.context import RequestContext
from resolvers.orders import OrderView, event_of

_SHOWN = (DisputeState.OPEN, DisputeState.INQUIRY, DisputeState.LOST)


@dataclass(frozen=True, slots=True)
class DisputeView:
    """A dispute that an organiser has to know of."""

    row: DisputeRow

    @property
    def gateway_id(self) -> str:
        """Stripe's id of it."""
        return self.row.id

    @property
    def status(self) -> str:
        """INQUIRY, OPEN or LOST."""
        return self.row.state

    @property
    def amount(self) -> Money:
        """What the cardholder wants back."""
        return Money(self.row.amount_minor, self.row.currency)

    @property
    def reason(self) -> str:
        """The cardholder's reason, in Stripe's words."""
        return self.row.reason

    @property
    def respond_by(self) -> datetime | None:
        """When an answer is due at Stripe."""
        return None if self.row.state == DisputeState.LOST else self.row.respond_by

    @property
    def created_at(self) -> datetime:
        """When it began."""
        return self.row.created_at


async def dispute_of(context: RequestContext, order: OrderView) -> DisputeView | None:
    """Return the dispute that marks an order: an open one first; None once it is won, and to buyers."""
    viewer = context.viewer
    if viewer is None or Scope.ORGANISE not in viewer.scopes:
        return None
    if (await event_of(context, order)).organiser_id != viewer.user_id:
        return None
    disputes = await context.loaders.disputes.load(order.row.id)
    shown = [one for one in disputes if one.state in _SHOWN]
    return DisputeView(min(shown, key=lambda one: _SHOWN.index(DisputeState(one.state)))) if shown else None
