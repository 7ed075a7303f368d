"""Refunds through the Stripe gateway: made once, found again, tried again."""

import asyncio

import pytest
import stripe

from payments.gateway import (
    ALREADY_REFUNDED,
    DISPUTED,
    Declined,
    GatewayRejected,
    RefundStatus,
)
from payments.stripe_gateway import StripeGateway
from tests.integration.payments.intents import key
from tests.integration.payments.purchases import captured
from tests.local_stripe import API_KEY, Control, StripeProcess


async def test_refund_is_made_once_when_the_key_was_pruned_meanwhile(
    gateway: StripeGateway, control: Control
) -> None:
    intent, refund = await captured(gateway), key()
    first = await gateway.refund(intent.id, 2000, "USD", idempotency_key=refund)
    await control.prune_keys()

    second = await gateway.refund(intent.id, 2000, "USD", idempotency_key=refund)

    assert second.id == first.id
    assert (await control.ledger_row(intent.id))["refunded"] == 2000


async def test_money_goes_back_twice_when_the_guard_of_refunds_is_taken_away(
    stripe_process: StripeProcess, control: Control
) -> None:
    """The control of the test above: without looking first, a pruned key refunds again."""

    class Careless(StripeGateway):
        async def _refunds_with(self, intent_id: str, key: str) -> list[stripe.Refund]:
            return []

    careless = Careless(API_KEY, api_base=stripe_process.url)
    intent, refund = await captured(careless), key()
    await careless.refund(intent.id, 2000, "USD", idempotency_key=refund)
    await control.prune_keys()

    await careless.refund(intent.id, 2000, "USD", idempotency_key=refund)

    assert (await control.ledger_row(intent.id))["refunded"] == 4000
    await careless.close()


async def test_every_refund_is_found_when_there_are_several_pages(
    gateway: StripeGateway, sdk: stripe.StripeClient
) -> None:
    intent, refund = await captured(gateway, 5000), key()
    first = await gateway.refund(intent.id, 10, "USD", idempotency_key=refund)
    for _ in range(101):
        await sdk.v1.refunds.create_async({"payment_intent": intent.id, "amount": 10})

    again = await gateway.refund(intent.id, 10, "USD", idempotency_key=refund)

    assert again.id == first.id
    assert len(await gateway.refunds_of(intent.id)) == 102


async def test_refund_is_tried_once_more_when_the_first_bounced(
    gateway: StripeGateway, control: Control
) -> None:
    intent, refund = await captured(gateway), key()
    await control.add_fault("refund.pending_then_fail", match={"intent": intent.id}, params={"seconds": 0})
    first = await gateway.refund(intent.id, 5000, "USD", idempotency_key=refund)
    assert first.status is RefundStatus.PENDING
    while (await gateway.refunds_of(intent.id))[0].status is not RefundStatus.FAILED:
        await asyncio.sleep(0)

    second = await gateway.refund(intent.id, 5000, "USD", idempotency_key=refund)
    third = await gateway.refund(intent.id, 5000, "USD", idempotency_key=refund)

    assert (second.status, third.id) == (RefundStatus.SUCCEEDED, second.id)
    row = await control.ledger_row(intent.id)
    assert (row["refunded"], [one["status"] for one in row["refunds"]]) == (5000, ["failed", "succeeded"])


async def test_refund_comes_through_when_the_bank_refused_it_some_times(
    gateway: StripeGateway, control: Control
) -> None:
    intent, refund = await captured(gateway), key()
    await control.add_fault("refund.fail", count=2, match={"intent": intent.id})

    for _ in range(2):
        with pytest.raises(Declined):
            await gateway.refund(intent.id, 5000, "USD", idempotency_key=refund)

    assert (
        await gateway.refund(intent.id, 5000, "USD", idempotency_key=refund)
    ).status is RefundStatus.SUCCEEDED


async def test_refund_is_sent_anew_when_it_bounced_after_the_bank_had_refused_it_some_times(
    gateway: StripeGateway, control: Control
) -> None:
    intent, refund = await captured(gateway), key()
    await control.add_fault("refund.fail", count=2, match={"intent": intent.id})
    for _ in range(2):
        with pytest.raises(Declined):
            await gateway.refund(intent.id, 5000, "USD", idempotency_key=refund)
    await control.add_fault("refund.pending_then_fail", match={"intent": intent.id}, params={"seconds": 0})
    bounced = await gateway.refund(intent.id, 5000, "USD", idempotency_key=refund)
    while (await gateway.refunds_of(intent.id))[0].status is not RefundStatus.FAILED:
        await asyncio.sleep(0)

    sent = await gateway.refund(intent.id, 5000, "USD", idempotency_key=refund)

    assert (sent.status, sent.id != bounced.id) == (RefundStatus.SUCCEEDED, True)
    assert (await control.ledger_row(intent.id))["refunded"] == 5000


async def test_refund_is_rejected_when_less_is_left(gateway: StripeGateway, control: Control) -> None:
    intent = await captured(gateway)

    with pytest.raises(GatewayRejected):
        await gateway.refund(intent.id, 5001, "USD", idempotency_key=key())

    assert (await control.ledger_row(intent.id))["refunded"] == 0


async def test_lower_refund_is_made_when_the_first_amount_was_refused_under_its_key(
    gateway: StripeGateway, control: Control
) -> None:
    intent = await captured(gateway, card="pm_card_refundFail")
    await control.refund(intent.id)
    name = key()
    with pytest.raises(GatewayRejected) as refusal:
        await gateway.refund(intent.id, 5000, "USD", idempotency_key=name)
    assert refusal.value.code == ALREADY_REFUNDED
    async with asyncio.timeout(10):
        while (await gateway.retrieve(intent.id)).refunded_minor:
            await control.hurry()

    lower = await gateway.refund(intent.id, 3000, "USD", idempotency_key=name)
    again = await gateway.refund(intent.id, 3000, "USD", idempotency_key=name)

    assert (lower.amount_minor, lower.key, again.id) == (3000, name, lower.id)


async def test_dispute_is_read_with_its_state_and_deadline(gateway: StripeGateway, control: Control) -> None:
    intent = await captured(gateway)
    assert await gateway.disputes_of(intent.id) == []
    made = await control.dispute(intent.id, amount=2000, reason="duplicate")

    [dispute] = await gateway.disputes_of(intent.id)

    assert (dispute.id, dispute.intent_id, dispute.amount_minor) == (made["id"], intent.id, 2000)
    assert (dispute.status, dispute.reason, dispute.is_refundable) == ("needs_response", "duplicate", False)
    assert dispute.respond_by is not None and dispute.respond_by > dispute.created
    assert (await gateway.retrieve(intent.id)).disputed is True
    with pytest.raises(GatewayRejected) as refusal:
        await gateway.refund(intent.id, 1000, "USD", idempotency_key=key())
    assert refusal.value.code == DISPUTED


async def test_recent_reversals_are_the_events_of_refunds_and_disputes(
    gateway: StripeGateway, control: Control
) -> None:
    intent = await captured(gateway)
    for _ in range(60):
        await control.refund(intent.id, 10)
    await control.dispute(intent.id)

    found = await gateway.recent_reversals(intent.created, most=10_000)

    kinds = [event.type for event in found if event.intent_id == intent.id]
    assert kinds[:2] == ["charge.dispute.funds_withdrawn", "charge.dispute.created"]
    assert (kinds.count("refund.created"), kinds.count("charge.refunded")) == (60, 60)
    assert len({event.id for event in found}) == len(found) > 100
