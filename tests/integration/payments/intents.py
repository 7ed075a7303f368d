"""Intents for the tests, at whatever stage they need."""

from itertools import count
from typing import Any

import stripe

numbers = count(1)


def key() -> str:
    """An idempotency key that no other test uses."""
    return f"test-key-{next(numbers)}"


async def new(sdk: stripe.StripeClient, amount: int = 5000, **more: Any) -> stripe.PaymentIntent:
    """Created, to be captured by hand."""
    params: Any = {"amount": amount, "currency": "usd", "capture_method": "manual", **more}
    return await sdk.v1.payment_intents.create_async(params)


async def authorised(
    sdk: stripe.StripeClient, amount: int = 5000, method: str = "pm_card_visa", **more: Any
) -> stripe.PaymentIntent:
    intent = await new(sdk, amount, **more)
    return await sdk.v1.payment_intents.confirm_async(intent.id, {"payment_method": method})


async def captured(
    sdk: stripe.StripeClient, amount: int = 5000, method: str = "pm_card_visa", **more: Any
) -> stripe.PaymentIntent:
    intent = await authorised(sdk, amount, method, **more)
    return await sdk.v1.payment_intents.capture_async(intent.id)
