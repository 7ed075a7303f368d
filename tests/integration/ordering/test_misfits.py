"""An intent that is not what its order asked for books nothing and holds nobody's money or seats."""

from typing import Any

import pytest

from db.queries.payments import payment_of_order
from devservices.local_stripe import LocalStripe
from payments.gateway import IntentStatus
from services.context import Office
from services.ordering.expiry import expire_lapsed, expire_paying
from services.ordering.pay import pay
from services.ordering.payment_sweep import sweep_payments
from tests.houses import ManualClock
from tests.integration.ordering.test_paying import ANN, drain, held, seats, state
from tests.local_stripe import Control


@pytest.mark.parametrize(
    "altered", [{"amount": 7}, {"currency": "eur"}, {"metadata": {"order_id": "another"}}]
)
async def test_order_ends_and_money_is_let_go_when_the_intent_does_not_fit(
    office: Office, clock: ManualClock, stripe_server: LocalStripe, altered: dict[str, Any]
) -> None:
    order = await held(office)
    control = Control(stripe_server.url())
    match = {"order_id": str(order.id), "operation": "payment_intent.confirm"}
    await control.add_fault("intent.alter", match=match, params=altered)
    await control.client.aclose()

    paid = await pay(office, ANN, order.id, "pm_card_visa")
    await drain(office)
    clock.advance(seconds=5000)
    await expire_lapsed(office)
    await expire_paying(office)
    await sweep_payments(office)
    await drain(office)

    assert paid.order.state == "PAYING"
    assert (await state(office, order.id))[1:] == ("CANCELLED", 0, 0)
    payment = await payment_of_order(office.database, order.id)
    assert payment is not None and payment.intent_id is not None
    intent = await office.gateway.retrieve(payment.intent_id)
    assert (intent.status, intent.amount_received_minor) == (IntentStatus.CANCELLED, 0)
    assert await seats(office, order) == b"AAAA"
