"""Purchases through the gateway, at whatever stage the tests need them."""

from uuid import uuid4

from payments.gateway import Intent, PaymentGateway
from tests.integration.payments.intents import key

BACK = "http://localhost:8000/events/1"


async def new(gateway: PaymentGateway, amount: int = 5000, currency: str = "USD") -> Intent:
    return await gateway.create_intent(uuid4(), amount, currency, reference="BX-1", idempotency_key=key())


async def authorised(gateway: PaymentGateway, amount: int = 5000, card: str = "pm_card_visa") -> Intent:
    intent = await new(gateway, amount)
    return await gateway.confirm(intent.id, card, idempotency_key=key(), return_url=BACK)


async def captured(gateway: PaymentGateway, amount: int = 5000, card: str = "pm_card_visa") -> Intent:
    intent = await authorised(gateway, amount, card)
    return await gateway.capture(intent.id, idempotency_key=key())
