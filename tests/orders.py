"""Orders written directly, without a buyer's request."""

from collections.abc import Sequence
from uuid import UUID

from db.queries.orders import ClaimRow, NewOrder, OrderRow, Source, claims_of_orders
from domain.states import ClaimState, OrderState
from kit.clock import utc_now
from kit.ids import new_uuid
from tests.events import buyer


def order_over(event_id: UUID, places: Sequence[int], order_id: UUID | None = None) -> NewOrder:
    """An order with claims in the order of `places`, by a new buyer."""
    order_id, now = order_id or new_uuid(), utc_now()
    who = buyer(f"u{order_id}")
    row = OrderRow(
        id=order_id,
        reference=order_id.hex,
        event_id=event_id,
        user_id=who.user_id,
        state=OrderState.RESERVED,
        currency="USD",
        subtotal_minor=0,
        fees_minor=0,
        total_minor=0,
        idempotency_key=None,
        input_hash=None,
        expires_at=now,
        extended=False,
        admission_jti=None,
        created_at=now,
        updated_at=now,
    )
    claims = tuple(ClaimRow(order_id, event_id, place, ClaimState.HELD, 0, 0, 0) for place in places)
    return NewOrder(row, who.subject, None, None, claims)


async def tickets_on(source: Source, order_id: UUID, *places: int) -> list[UUID]:
    """The tickets that an order has of these places."""
    tickets = {claim.place: claim.ticket_id for claim in await claims_of_orders(source, [order_id])}
    return [tickets[place] for place in places]
