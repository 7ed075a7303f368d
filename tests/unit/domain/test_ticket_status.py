"""The status of a ticket follows from its claim and its order."""

import pytest

from domain.states import ClaimState, OrderState, TicketStatus, ticket_status

STATUSES = {
    (ClaimState.HELD, OrderState.RESERVED): TicketStatus.HELD,
    (ClaimState.HELD, OrderState.PAYING): TicketStatus.HELD,
    # The deadline has passed, and the sweep has not ended the claim yet.
    (ClaimState.HELD, OrderState.EXPIRED): TicketStatus.VOID,
    (ClaimState.BOOKED, OrderState.BOOKED): TicketStatus.ISSUED,
    (ClaimState.ENDED, OrderState.BOOKED): TicketStatus.REFUNDED,
    (ClaimState.ENDED, OrderState.REFUNDED): TicketStatus.REFUNDED,
    (ClaimState.ENDED, OrderState.EXPIRED): TicketStatus.VOID,
    (ClaimState.ENDED, OrderState.CANCELLED): TicketStatus.VOID,
}


@pytest.mark.parametrize(("claim", "order"), STATUSES)
def test_status_follows_when_claim_and_order_are_known(claim: ClaimState, order: OrderState) -> None:
    assert ticket_status(claim, order) is STATUSES[claim, order]
