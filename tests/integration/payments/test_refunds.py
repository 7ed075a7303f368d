"""Refunds of the local Stripe through the official SDK."""

import pytest
import stripe

from tests.integration.payments import intents
from tests.local_stripe import Control


async def test_money_goes_back_in_parts_when_refunded_in_parts(
    sdk: stripe.StripeClient, control: Control
) -> None:
    intent = await intents.captured(sdk, 5000)

    first = await sdk.v1.refunds.create_async(
        {"payment_intent": intent.id, "amount": 2000, "metadata": {"ticket": "t-1"}}
    )
    second = await sdk.v1.refunds.create_async({"payment_intent": intent.id})

    assert (first.status, first.amount, second.amount) == ("succeeded", 2000, 3000)
    row = await control.ledger_row(intent.id)
    assert (row["captured"], row["refunded"]) == (5000, 5000)
    listed = await sdk.v1.refunds.list_async({"payment_intent": intent.id})
    assert [one.id for one in listed.data] == [second.id, first.id]
    found = await sdk.v1.refunds.retrieve_async(first.id)
    assert found.metadata is not None
    assert found.metadata.to_dict() == {"ticket": "t-1"}


async def test_refund_is_refused_when_it_is_above_what_is_left(
    sdk: stripe.StripeClient, control: Control
) -> None:
    intent = await intents.captured(sdk, 5000)
    await sdk.v1.refunds.create_async({"payment_intent": intent.id, "amount": 4000})

    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await sdk.v1.refunds.create_async({"payment_intent": intent.id, "amount": 1001})

    assert refusal.value.user_message == (
        "Refund amount (10.01 usd) is greater than unrefunded amount on charge (10.00 usd)"
    )
    assert (await control.ledger_row(intent.id))["refunded"] == 4000


async def test_refund_is_refused_when_all_went_back(sdk: stripe.StripeClient, control: Control) -> None:
    intent = await intents.captured(sdk, 5000)
    await sdk.v1.refunds.create_async({"payment_intent": intent.id})

    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await sdk.v1.refunds.create_async({"payment_intent": intent.id})

    assert refusal.value.code == "charge_already_refunded"
    assert (await control.ledger_row(intent.id))["refunded"] == 5000


@pytest.mark.parametrize("stage", ["new", "authorised", "cancelled"])
async def test_refund_is_refused_when_nothing_was_captured(sdk: stripe.StripeClient, stage: str) -> None:
    intent = await (intents.new(sdk) if stage == "new" else intents.authorised(sdk))
    if stage == "cancelled":
        await sdk.v1.payment_intents.cancel_async(intent.id)

    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await sdk.v1.refunds.create_async({"payment_intent": intent.id})

    assert "does not have a successful charge to refund" in str(refusal.value.user_message)
    assert (await sdk.v1.refunds.list_async({"payment_intent": intent.id})).data == []


async def test_only_the_captured_part_goes_back_when_a_part_was_captured(sdk: stripe.StripeClient) -> None:
    intent = await intents.authorised(sdk, 5000)
    await sdk.v1.payment_intents.capture_async(intent.id, {"amount_to_capture": 3000})

    refund = await sdk.v1.refunds.create_async({"payment_intent": intent.id})

    assert refund.amount == 3000


async def test_pending_refund_succeeds_later_when_the_card_is_slow(
    sdk: stripe.StripeClient, control: Control
) -> None:
    intent = await intents.captured(sdk, method="pm_card_pendingRefund")

    refund = await sdk.v1.refunds.create_async({"payment_intent": intent.id})
    assert refund.status == "pending"
    await control.hurry()

    while refund.status == "pending":
        refund = await sdk.v1.refunds.retrieve_async(refund.id)
    assert refund.status == "succeeded"


async def test_money_is_the_sellers_again_when_a_refund_fails_later(
    sdk: stripe.StripeClient, control: Control
) -> None:
    intent = await intents.captured(sdk, 5000, method="pm_card_refundFail")

    refund = await sdk.v1.refunds.create_async({"payment_intent": intent.id})
    assert refund.status == "succeeded"
    await control.hurry()

    while refund.status == "succeeded":
        refund = await sdk.v1.refunds.retrieve_async(refund.id)
    assert (refund.status, refund.failure_reason) == ("failed", "expired_or_canceled_card")
    row = await control.ledger_row(intent.id)
    assert (row["captured"], row["refunded"]) == (5000, 0)


async def test_refund_fails_after_a_while_when_the_fault_says_so(
    sdk: stripe.StripeClient, control: Control
) -> None:
    intent = await intents.captured(sdk)
    await control.add_fault("refund.pending_then_fail", match={"intent": intent.id}, params={"seconds": 0.05})

    refund = await sdk.v1.refunds.create_async({"payment_intent": intent.id})
    assert refund.status == "pending"

    while refund.status == "pending":
        refund = await sdk.v1.refunds.retrieve_async(refund.id)
    assert refund.status == "failed"
    assert (await control.ledger_row(intent.id))["refunded"] == 0


async def test_refund_call_is_refused_when_the_fault_says_so(
    sdk: stripe.StripeClient, control: Control
) -> None:
    intent = await intents.captured(sdk)
    await control.add_fault("refund.fail", count=2, match={"intent": intent.id})

    for _ in range(2):
        with pytest.raises(stripe.CardError):
            await sdk.v1.refunds.create_async({"payment_intent": intent.id})

    assert (await sdk.v1.refunds.create_async({"payment_intent": intent.id})).status == "succeeded"
