"""Disputes and refunds by hand at the local Stripe, through the official SDK."""

import pytest
import stripe

from tests.integration.payments import intents
from tests.local_stripe import Control, Endpoint


async def test_money_is_withdrawn_and_refunds_are_refused_when_a_charge_is_disputed(
    sdk: stripe.StripeClient, control: Control, endpoint: Endpoint
) -> None:
    intent = await intents.captured(sdk, 5000)

    made = await control.dispute(intent.id)

    # Webhooks come in any order.
    for kind in ("charge.dispute.created", "charge.dispute.funds_withdrawn"):
        await endpoint.hook(intent.id, kind)
    found = (await sdk.v1.disputes.list_async({"payment_intent": intent.id})).data[0]
    assert (found.id, found.status, found.amount) == (made["id"], "needs_response", 5000)
    assert found.is_charge_refundable is False
    assert [(one.amount, one.fee, one.net) for one in found.balance_transactions] == [(-5000, 1500, -6500)]
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await sdk.v1.refunds.create_async({"payment_intent": intent.id})
    assert refusal.value.code == "charge_disputed"
    assert (await control.ledger_row(intent.id))["refunded"] == 0


async def test_money_comes_back_and_can_be_refunded_when_the_dispute_is_won(
    sdk: stripe.StripeClient, control: Control, endpoint: Endpoint
) -> None:
    intent = await intents.captured(sdk, 5000)
    made = await control.dispute(intent.id, reason="product_not_received")

    await sdk.v1.disputes.update_async(
        made["id"], {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": True}
    )

    await endpoint.hook(intent.id, "charge.dispute.funds_reinstated")
    won = await sdk.v1.disputes.retrieve_async(made["id"])
    assert (won.status, won.reason) == ("won", "product_not_received")
    assert sum(one.amount for one in won.balance_transactions) == 0
    assert (await control.ledger_row(intent.id))["withdrawn"] == 0
    assert (await sdk.v1.refunds.create_async({"payment_intent": intent.id})).amount == 5000


async def test_nothing_is_left_to_refund_when_the_dispute_is_accepted(
    sdk: stripe.StripeClient, control: Control, endpoint: Endpoint
) -> None:
    intent = await intents.captured(sdk, 5000)
    made = await control.dispute(intent.id)

    lost = await sdk.v1.disputes.close_async(made["id"])

    hook = await endpoint.hook(intent.id, "charge.dispute.closed")
    assert (lost.status, hook.object["status"]) == ("lost", "lost")
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await sdk.v1.refunds.create_async({"payment_intent": intent.id})
    assert refusal.value.code == "charge_disputed"
    with pytest.raises(stripe.InvalidRequestError):
        await sdk.v1.disputes.close_async(made["id"])


async def test_inquiry_takes_nothing_until_it_becomes_a_chargeback(
    sdk: stripe.StripeClient, control: Control, endpoint: Endpoint
) -> None:
    intent = await intents.captured(sdk, 5000)
    made = await control.dispute(intent.id, inquiry=True)
    assert (made["status"], made["balance_transactions"]) == ("warning_needs_response", [])
    refund = await sdk.v1.refunds.create_async({"payment_intent": intent.id, "amount": 1000})
    assert refund.status == "succeeded"

    await control.post(f"/_control/disputes/{made['id']}/escalate")

    await endpoint.hook(intent.id, "charge.dispute.funds_withdrawn")
    assert (await control.ledger_row(intent.id))["withdrawn"] == 5000


async def test_charge_is_disputed_when_its_card_says_so(
    sdk: stripe.StripeClient, control: Control, endpoint: Endpoint
) -> None:
    intent = await intents.captured(sdk, 5000, "pm_card_createDispute")

    hook = await endpoint.hook(intent.id, "charge.dispute.created")

    assert (hook.object["status"], hook.object["amount"]) == ("needs_response", 5000)
    charge = await sdk.v1.charges.retrieve_async(str(hook.object["charge"]))
    assert charge.disputed is True


async def test_refund_by_hand_is_announced_as_by_the_dashboard(
    sdk: stripe.StripeClient, control: Control, endpoint: Endpoint
) -> None:
    intent = await intents.captured(sdk, 5000)

    made = await control.refund(intent.id, 1200, reason="duplicate")

    assert (made["amount"], made["metadata"], made["reason"]) == (1200, {}, "duplicate")
    hook = await endpoint.hook(intent.id, "charge.refunded")
    assert (hook.object["amount_refunded"], hook.object["refunded"]) == (1200, False)
    assert "refund.created" in endpoint.types(intent.id)
    answer = await control.client.post(f"/_control/intents/{intent.id}/refund", json={"amount": 3801})
    assert answer.status_code == 400
    assert (await control.ledger_row(intent.id))["refunded"] == 1200


async def test_events_are_listed_by_type_and_time(
    sdk: stripe.StripeClient, control: Control, endpoint: Endpoint
) -> None:
    intent = await intents.captured(sdk, 5000)
    await control.refund(intent.id)
    created = intent.created

    listed = await sdk.v1.events.list_async(
        {"types": ["charge.refunded", "refund.created"], "created": {"gte": created}, "limit": 100}
    )

    objects = [(one.type, one.data.object.to_dict()) for one in listed.data]
    of_intent = [kind for kind, subject in objects if subject["payment_intent"] == intent.id]
    assert of_intent == ["charge.refunded", "refund.created"]


async def test_inquiry_ends_without_money_when_the_bank_closes_it(
    sdk: stripe.StripeClient, control: Control, endpoint: Endpoint
) -> None:
    intent = await intents.captured(sdk, 5000)
    made = await control.dispute(intent.id, inquiry=True)

    closed = await control.close_dispute(made["id"], "closed")

    assert (closed["status"], closed["balance_transactions"]) == ("warning_closed", [])
    await endpoint.hook(intent.id, "charge.dispute.closed")
    answer = await control.client.post(f"/_control/disputes/{made['id']}/close", json={"outcome": "lost"})
    assert answer.status_code == 400
