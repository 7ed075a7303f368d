"""The webhooks that the local Stripe sends: which, how signed, how often, in what order."""

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import stripe

from payments.webhooks import WebhookRefused, read_event
from tests.integration.payments import intents
from tests.local_stripe import API_KEY, ROOT, SECRET, Control, Endpoint, StripeProcess, Webhook


async def test_every_step_has_a_webhook_when_money_is_captured_and_refunded(
    sdk: stripe.StripeClient, endpoint: Endpoint
) -> None:
    intent = await intents.captured(sdk, 5000)
    await sdk.v1.refunds.create_async({"payment_intent": intent.id, "amount": 2000})

    await endpoint.until(lambda: len(endpoint.of(intent.id)) == 7)

    assert sorted(endpoint.types(intent.id)) == [
        "charge.captured",
        "charge.refunded",
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
        "payment_intent.created",
        "payment_intent.succeeded",
        "refund.created",
    ]
    authorised = await endpoint.hook(intent.id, "payment_intent.amount_capturable_updated")
    assert (authorised.object["status"], authorised.object["amount_capturable"]) == ("requires_capture", 5000)
    refunded = await endpoint.hook(intent.id, "charge.refunded")
    assert (refunded.object["amount_refunded"], refunded.object["refunded"]) == (2000, False)
    assert refunded.event["data"]["previous_attributes"] == {"amount_refunded": 0}


@pytest.mark.parametrize(
    ("method", "step", "received"),
    [
        ("pm_card_visa", "cancel", "payment_intent.canceled"),
        ("pm_card_chargeDeclined", "", "payment_intent.payment_failed"),
        ("pm_card_chargeDeclined", "", "charge.failed"),
        ("pm_card_threeDSecure2Required", "", "payment_intent.requires_action"),
        ("pm_card_threeDSecure2Required", "fail", "payment_intent.payment_failed"),
        ("pm_card_threeDSecure2Required", "complete", "payment_intent.amount_capturable_updated"),
        ("pm_card_processing", "", "payment_intent.processing"),
        ("pm_card_processing", "hurry", "payment_intent.amount_capturable_updated"),
        ("pm_card_visa", "expire", "charge.expired"),
    ],
)
async def test_webhook_tells_when_an_intent_takes_another_course(
    sdk: stripe.StripeClient, control: Control, endpoint: Endpoint, method: str, step: str, received: str
) -> None:
    intent = await intents.new(sdk)
    try:
        await sdk.v1.payment_intents.confirm_async(intent.id, {"payment_method": method})
    except stripe.CardError:
        assert method == "pm_card_chargeDeclined"

    if step == "cancel":
        await sdk.v1.payment_intents.cancel_async(intent.id)
    elif step in ("complete", "fail"):
        await control.finish_challenge(intent.id, step)
    elif step == "hurry":
        await control.hurry()
    elif step == "expire":
        await control.client.post(f"/_control/intents/{intent.id}/expire")

    hook = await endpoint.hook(intent.id, received)
    assert hook.answered == 200


async def test_failure_has_two_webhooks_when_a_refund_bounces(
    sdk: stripe.StripeClient, control: Control, endpoint: Endpoint
) -> None:
    intent = await intents.captured(sdk, method="pm_card_refundFail")
    refund = await sdk.v1.refunds.create_async({"payment_intent": intent.id})

    await control.hurry()

    failed = await endpoint.hook(intent.id, "refund.failed")
    updated = await endpoint.hook(intent.id, "refund.updated")
    assert (failed.object["id"], failed.object["status"]) == (refund.id, "failed")
    assert updated.event["data"]["previous_attributes"] == {"status": "succeeded"}


async def test_both_verifiers_accept_when_a_webhook_arrives(
    sdk: stripe.StripeClient, endpoint: Endpoint
) -> None:
    intent = await intents.new(sdk)

    hook = await endpoint.hook(intent.id, "payment_intent.created")

    theirs = stripe.Webhook.construct_event(hook.body, hook.signature, SECRET)
    ours = read_event(hook.body, hook.signature, [SECRET], datetime.now(UTC))
    assert (ours.id, ours.type, ours.intent_id) == (theirs.id, theirs.type, intent.id)
    assert int(ours.created.timestamp()) == theirs.created
    assert theirs.id.startswith("evt_")
    assert theirs.request is not None
    assert (theirs.request.id or "").startswith("req_")


async def test_webhook_comes_again_when_it_was_not_answered_2xx(
    sdk: stripe.StripeClient, endpoint: Endpoint
) -> None:
    endpoint.answers["payment_intent.created"] = [500, 404, 302]

    intent = await intents.new(sdk)
    await endpoint.until(lambda: [hook.answered for hook in endpoint.of(intent.id)] == [500, 404, 302, 200])

    hooks = endpoint.of(intent.id)
    assert len({hook.body for hook in hooks}) == 1
    assert len({hook.event["id"] for hook in hooks}) == 1
    for hook in hooks:
        stripe.Webhook.construct_event(hook.body, hook.signature, SECRET)


async def test_nothing_is_sent_when_webhooks_are_dropped(
    sdk: stripe.StripeClient, control: Control, endpoint: Endpoint
) -> None:
    await control.add_fault("webhook.drop", match={"event_type": "payment_intent.created"})

    intent = await intents.authorised(sdk)
    await endpoint.hook(intent.id, "payment_intent.amount_capturable_updated")

    assert "payment_intent.created" not in endpoint.types(intent.id)
    events = await sdk.v1.events.list_async({"type": "payment_intent.created", "limit": 1})
    answer = await control.client.post(f"/_control/events/{events.data[0].id}/resend")
    assert answer.json() == {"resent": 1}
    await endpoint.hook(intent.id, "payment_intent.created")


async def test_event_arrives_again_when_webhooks_are_duplicated(
    sdk: stripe.StripeClient, control: Control, endpoint: Endpoint
) -> None:
    await control.add_fault("webhook.duplicate", params={"copies": 3})

    intent = await intents.new(sdk)
    await endpoint.until(lambda: len(endpoint.of(intent.id)) == 4)

    assert len({hook.event["id"] for hook in endpoint.of(intent.id)}) == 1


async def test_later_event_arrives_first_when_webhooks_are_reordered(
    sdk: stripe.StripeClient, control: Control, endpoint: Endpoint
) -> None:
    await control.add_fault(
        "webhook.reorder",
        match={"event_type": "payment_intent.amount_capturable_updated"},
        params={"behind": 2, "most_seconds": 60},
    )

    intent = await intents.captured(sdk)
    await endpoint.until(lambda: len(endpoint.of(intent.id)) == 5)

    assert endpoint.types(intent.id)[-1] == "payment_intent.amount_capturable_updated"


async def test_event_waits_when_webhooks_are_delayed(
    sdk: stripe.StripeClient, control: Control, endpoint: Endpoint
) -> None:
    await control.add_fault(
        "webhook.delay", match={"event_type": "payment_intent.created"}, params={"seconds": 300}
    )
    intent = await intents.authorised(sdk)
    await endpoint.hook(intent.id, "payment_intent.amount_capturable_updated")
    assert "payment_intent.created" not in endpoint.types(intent.id)

    await control.hurry()

    late = await endpoint.hook(intent.id, "payment_intent.created")
    stripe.Webhook.construct_event(late.body, late.signature, SECRET)


async def test_only_the_webhook_lies_when_its_content_is_altered(
    sdk: stripe.StripeClient, control: Control, endpoint: Endpoint
) -> None:
    await control.add_fault(
        "webhook.alter",
        match={"event_type": "payment_intent.amount_capturable_updated"},
        params={"amount": 1, "currency": "krw", "metadata": {"order_id": "another"}},
    )

    intent = await intents.authorised(sdk, 5000, metadata={"order_id": "mine"})

    hook = await endpoint.hook(intent.id, "payment_intent.amount_capturable_updated")
    received = hook.object
    assert (received["amount"], received["amount_capturable"], received["currency"]) == (1, 1, "krw")
    assert received["metadata"] == {"order_id": "another"}
    stripe.Webhook.construct_event(hook.body, hook.signature, SECRET)
    truth = await sdk.v1.payment_intents.retrieve_async(intent.id)
    assert (truth.amount, truth.currency, truth.metadata.to_dict()) == (5000, "usd", {"order_id": "mine"})


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"offset_seconds": -400}, "more than five minutes off"),
        ({"offset_seconds": 400}, "more than five minutes off"),
        ({"secret": "whsec_other"}, "does not fit the body"),
        ({"body": "not json"}, "not JSON"),
    ],
)
async def test_our_verifier_refuses_when_the_signature_is_spoilt(
    sdk: stripe.StripeClient, control: Control, endpoint: Endpoint, params: dict[str, object], sentence: str
) -> None:
    await control.add_fault(
        "webhook.signature", match={"event_type": "payment_intent.created"}, params=params
    )

    intent = await intents.new(sdk)

    def corrupted() -> list[Webhook]:
        return [hook for hook in endpoint.hooks if hook.intent_id == intent.id or hook.body == b"not json"]

    await endpoint.until(lambda: bool(corrupted()))
    hook = corrupted()[0]
    with pytest.raises(WebhookRefused, match=sentence):
        read_event(hook.body, hook.signature, [SECRET], datetime.now(UTC))


async def test_deliveries_go_on_when_the_process_was_killed(tmp_path: Path) -> None:
    endpoint = Endpoint()
    await endpoint.open()
    port = int(endpoint.url.split(":")[2].partition("/")[0])
    await endpoint.close()  # nobody listens: every delivery must wait
    process = StripeProcess(tmp_path, "--webhook-url", endpoint.url, "--later-seconds", "0.2")
    await asyncio.to_thread(process.start)
    try:
        intent = await _pay_and_kill(process)
        await asyncio.to_thread(process.start)
        await endpoint.open(port)
        control = Control(process.url)
        await control.hurry()

        await endpoint.until(lambda: len(set(endpoint.types(intent))) == 4)

        assert set(endpoint.types(intent)) == {
            "payment_intent.created",
            "payment_intent.processing",
            "charge.succeeded",
            "payment_intent.amount_capturable_updated",
        }
        assert (await control.ledger_row(intent))["amount_capturable"] == 5000
        await control.client.aclose()
    finally:
        process.kill()
        await endpoint.close()


async def _pay_and_kill(process: StripeProcess) -> str:
    """A payment that is still being processed when the process dies; its key outlives it."""
    headers = {"Authorization": f"Bearer {API_KEY}", "Idempotency-Key": intents.key()}
    form = {"amount": "5000", "currency": "usd", "capture_method": "manual"}
    async with httpx.AsyncClient(headers=headers, trust_env=False) as client:
        url = f"{process.url}/v1/payment_intents"
        intent = (await client.post(url, data=form)).json()["id"]
        await client.post(
            f"{url}/{intent}/confirm",
            data={"payment_method": "pm_card_processing"},
            headers={"Idempotency-Key": intents.key()},
        )
        process.kill()
        await asyncio.to_thread(process.start)
        again = await client.post(url, data=form)
    assert (again.json()["id"], again.headers["idempotent-replayed"]) == (intent, "true")
    process.kill()
    return str(intent)


async def test_second_process_refuses_when_the_data_dir_is_in_use(stripe_process: StripeProcess) -> None:
    second = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "devservices.stripe",
        "--data-dir",
        str(stripe_process.data_dir),
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    _, said = await second.communicate()

    assert second.returncode == 2
    assert said.decode() == (
        f"The local Stripe cannot start: another one runs on {stripe_process.data_dir}.\n"
    )
