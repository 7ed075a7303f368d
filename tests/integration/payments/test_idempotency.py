"""Idempotency keys as Stripe keeps them."""

import asyncio

import httpx
import pytest
import stripe

from tests.integration.payments import intents
from tests.local_stripe import Control

CREATE = {"amount": "5000", "currency": "usd", "capture_method": "manual"}


async def test_first_answer_is_given_again_when_the_key_is_repeated(raw: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": intents.key()}

    first = await raw.post("/v1/payment_intents", data=CREATE, headers=headers)
    second = await raw.post("/v1/payment_intents", data=CREATE, headers=headers)

    assert (first.status_code, second.status_code) == (200, 200)
    assert first.content == second.content
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers["original-request"] == first.headers["request-id"]
    assert second.headers["request-id"] != first.headers["request-id"]


async def test_one_authorisation_stands_when_a_confirm_is_repeated(sdk: stripe.StripeClient) -> None:
    intent, key = await intents.new(sdk), intents.key()

    for _ in range(2):
        after = await sdk.v1.payment_intents.confirm_async(
            intent.id, {"payment_method": "pm_card_visa"}, {"idempotency_key": key}
        )

    charges = await sdk.v1.charges.list_async({"payment_intent": intent.id})
    assert after.status == "requires_capture"
    assert len(charges.data) == 1


async def test_decline_is_replayed_when_the_key_is_repeated(sdk: stripe.StripeClient) -> None:
    intent, key = await intents.new(sdk), intents.key()

    for replayed in (None, "true"):
        with pytest.raises(stripe.CardError) as refusal:
            await sdk.v1.payment_intents.confirm_async(
                intent.id, {"payment_method": "pm_card_chargeDeclined"}, {"idempotency_key": key}
            )
        assert (refusal.value.headers or {}).get("idempotent-replayed") == replayed

    assert len((await sdk.v1.charges.list_async({"payment_intent": intent.id})).data) == 1


async def test_state_refusal_is_replayed_when_the_key_is_repeated(sdk: stripe.StripeClient) -> None:
    intent, key = await intents.new(sdk), intents.key()
    with pytest.raises(stripe.InvalidRequestError):
        await sdk.v1.payment_intents.capture_async(intent.id, {}, {"idempotency_key": key})
    await sdk.v1.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_visa"})

    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await sdk.v1.payment_intents.capture_async(intent.id, {}, {"idempotency_key": key})

    assert (refusal.value.headers or {})["idempotent-replayed"] == "true"
    assert (await sdk.v1.payment_intents.retrieve_async(intent.id)).status == "requires_capture"


async def test_call_runs_when_the_key_was_refused_before(raw: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": intents.key()}
    wrong = await raw.post("/v1/payment_intents", data={"currency": "usd"}, headers=headers)

    right = await raw.post("/v1/payment_intents", data=CREATE, headers=headers)

    assert (wrong.status_code, right.status_code) == (400, 200)


async def test_mismatch_is_refused_when_the_key_comes_with_other_parameters(
    sdk: stripe.StripeClient,
) -> None:
    key = intents.key()
    params: stripe.params.PaymentIntentCreateParams = {"amount": 5000, "currency": "usd"}
    made = await sdk.v1.payment_intents.create_async(params, {"idempotency_key": key})

    with pytest.raises(stripe.IdempotencyError) as refusal:
        await sdk.v1.payment_intents.create_async({**params, "amount": 5001}, {"idempotency_key": key})
    with pytest.raises(stripe.IdempotencyError) as elsewhere:
        await sdk.v1.payment_intents.cancel_async(made.id, {}, {"idempotency_key": key})

    assert refusal.value.http_status == 400
    assert str(refusal.value.user_message).startswith(
        "Keys for idempotent requests can only be used with the same parameters they were first used with."
    )
    assert "can only be used for the same endpoint" in str(elsewhere.value.user_message)
    assert (await sdk.v1.payment_intents.retrieve_async(made.id)).status == "requires_payment_method"


async def test_conflict_is_answered_when_the_key_is_in_use(raw: httpx.AsyncClient, control: Control) -> None:
    await control.add_fault("api.hang", match={"operation": "payment_intent.create"}, params={"seconds": 0.5})
    headers = {"Idempotency-Key": intents.key()}

    answers = await asyncio.gather(
        *(raw.post("/v1/payment_intents", data=CREATE, headers=headers) for _ in range(3))
    )

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    conflict = next(answer for answer in answers if answer.status_code == 409)
    assert conflict.json()["error"]["code"] == "idempotency_key_in_use"
    assert conflict.headers["stripe-should-retry"] == "true"
    again = await raw.post("/v1/payment_intents", data=CREATE, headers=headers)
    made = next(answer for answer in answers if answer.status_code == 200)
    assert again.json()["id"] == made.json()["id"]


async def test_server_error_is_replayed_when_it_was_stored(raw: httpx.AsyncClient, control: Control) -> None:
    await control.add_fault("api.error", match={"operation": "payment_intent.create"})
    headers = {"Idempotency-Key": intents.key()}

    answers = [await raw.post("/v1/payment_intents", data=CREATE, headers=headers) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [500, 500]
    assert answers[0].json()["error"]["type"] == "api_error"
    assert answers[1].headers["idempotent-replayed"] == "true"
    assert answers[1].headers["stripe-should-retry"] == "false"


async def test_key_is_new_when_it_was_pruned(raw: httpx.AsyncClient, control: Control) -> None:
    headers = {"Idempotency-Key": intents.key()}
    first = await raw.post("/v1/payment_intents", data=CREATE, headers=headers)

    assert await control.prune_keys() >= 1

    second = await raw.post("/v1/payment_intents", data=CREATE, headers=headers)
    assert second.json()["id"] != first.json()["id"]


async def test_key_is_refused_when_it_is_too_long(raw: httpx.AsyncClient) -> None:
    answer = await raw.post("/v1/payment_intents", data=CREATE, headers={"Idempotency-Key": "k" * 256})

    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "idempotency_error")
