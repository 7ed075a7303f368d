"""What an order's intent at the gateway knows of the order, so that a lost one can be written again."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

from db.queries.orders import ClaimRow, NewOrder, OrderRow
from domain.states import ClaimState, OrderState
from payments.gateway import Intent

# Stripe takes 50 values of 500 characters.
_VALUE_CHARACTERS = 500
_MOST_PARTS = 40


def intent_facts(order: OrderRow, subject: str, claims: Iterable[ClaimRow]) -> dict[str, str]:
    """Return the metadata of an order's intent: the event, the account and the tickets; no name, no address.

    Of more tickets than fit nothing is stored; such an order, if it is lost, is refunded.
    """
    tickets = ",".join(
        f"{claim.place}:{claim.price_level}:{claim.price_minor}:{claim.fee_minor}:{claim.ticket_id.hex}"
        for claim in claims
    )
    parts = [tickets[at : at + _VALUE_CHARACTERS] for at in range(0, len(tickets), _VALUE_CHARACTERS)]
    if len(parts) > _MOST_PARTS or len(subject) > _VALUE_CHARACTERS:
        return {}
    facts = {"event_id": str(order.event_id), "user_id": str(order.user_id), "subject": subject}
    return facts | {f"tickets_{number}": part for number, part in enumerate(parts, 1)}


def order_of(intent: Intent, now: datetime, payment_time: timedelta) -> NewOrder | None:
    """Return the order that an intent is for, as it was held; None where the metadata do not say enough."""
    facts = intent.metadata
    if intent.order_id is None:
        return None
    try:
        event_id, user_id = UUID(facts["event_id"]), UUID(facts["user_id"])
        claims = tuple(_claim(intent.order_id, event_id, text) for text in _tickets(facts).split(","))
        subject, reference = facts["subject"], facts["reference"]
    except (KeyError, ValueError):
        return None
    subtotal = sum(claim.price_minor for claim in claims)
    fees = sum(claim.fee_minor for claim in claims)
    row = OrderRow(
        id=intent.order_id,
        reference=reference,
        event_id=event_id,
        user_id=user_id,
        state=OrderState.RESERVED,
        currency=intent.currency,
        subtotal_minor=subtotal,
        fees_minor=fees,
        total_minor=subtotal + fees,
        idempotency_key=None,
        input_hash=None,
        expires_at=now + payment_time,
        extended=True,
        admission_jti=None,
        created_at=intent.created,
        updated_at=now,
    )
    return NewOrder(row, subject, None, None, claims) if row.total_minor == intent.amount_minor else None


def _tickets(facts: Mapping[str, str]) -> str:
    text = ""
    for number in count(1):
        part = facts.get(f"tickets_{number}")
        if part is None:
            return text
        text += part
    raise AssertionError("count never ends")


def _claim(order_id: UUID, event_id: UUID, text: str) -> ClaimRow:
    place, level, price, fee, ticket = text.split(":")
    return ClaimRow(
        order_id, event_id, int(place), ClaimState.HELD, int(level), int(price), int(fee), UUID(ticket)
    )
