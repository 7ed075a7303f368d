"""An intent that is not what its order asked for books nothing and holds nobody's money or seats."""

from typing import Any

import pytest

from db.queries.payments import payment_of_order
from devservices.local_stripe import LocalStripe
from payments.gateway import IntentStatus
from services.context import ServiceContext
from services.ordering.expiry import expire_lapsed, expire_paying
from services.ordering.pay import pay
from services.ordering.sweeps import sweep_payments
from tests.events import ManualClock
from tests.integration.ordering.payments import ANN, drain, held, seats, state
from tests.local_stripe import Control


@pytest.mark.parametrize(
    "altered", [{"amount": 7}, {"currency": "eur"}, {"metadata": {"order_id": "another"}}]
)
async def test_order_ends_and_money_is_let_go_when_the_intent_does_not_fit(
    context: ServiceContext, clock: ManualClock, stripe_server: LocalStripe, altered: dict[str, Any]
) -> None:
    order = await held(context)
    control = Control(stripe_server.url())
    match = {"order_id": str(order.id), "operation": "payment_intent.confirm"}
    await control.add_fault("intent.alter", match=match, params=altered)
    await control.client.aclose()

    paid = await pay(context, ANN, order.id, "pm_card_visa")
    await drain(context)
    clock.advance(seconds=5000)
    await expire_lapsed(context)
    await expire_paying(context)
    await sweep_payments(context)
    await drain(context)

    assert paid.order.state == "PAYING"
    assert (await state(context, order.id))[1:] == ("CANCELLED", 0, 0)
    payment = await payment_of_order(context.database, order.id)
    assert payment is not None and payment.intent_id is not None
    intent = await context.gateway.retrieve(payment.intent_id)
    assert (intent.status, intent.amount_received_minor) == (IntentStatus.CANCELLED, 0)
    assert await seats(context, order) == b"AAAA"
