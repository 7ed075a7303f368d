"""PaymentIntents of the local Stripe through the official SDK: states, cards, refusals."""

import httpx
import pytest
import stripe

from tests.integration.payments import intents
from tests.local_stripe import Control


async def test_intent_is_what_was_asked_for_when_created(sdk: stripe.StripeClient) -> None:
    intent = await intents.new(sdk, 4550, metadata={"order_id": "o-1"}, description="BX-1")

    assert intent.status == "requires_payment_method"
    assert (intent.amount, intent.currency, intent.capture_method) == (4550, "usd", "manual")
    assert (intent.amount_capturable, intent.amount_received) == (0, 0)
    assert intent.metadata.to_dict() == {"order_id": "o-1"}
    assert intent.client_secret is not None
    assert intent.client_secret.startswith(f"{intent.id}_secret_")
    assert intent.livemode is False


async def test_whole_amount_waits_for_capture_when_the_card_is_good(sdk: stripe.StripeClient) -> None:
    intent = await intents.authorised(sdk, 4550)

    assert (intent.status, intent.amount_capturable, intent.amount_received) == ("requires_capture", 4550, 0)


async def test_money_is_taken_at_once_when_capture_is_automatic(sdk: stripe.StripeClient) -> None:
    intent = await intents.authorised(sdk, 4550, capture_method="automatic")

    assert (intent.status, intent.amount_capturable, intent.amount_received) == ("succeeded", 0, 4550)


async def test_rest_is_released_when_a_part_is_captured(sdk: stripe.StripeClient) -> None:
    intent = await intents.authorised(sdk, 5000)

    after = await sdk.v1.payment_intents.capture_async(
        intent.id, {"amount_to_capture": 3000, "expand": ["latest_charge"]}
    )

    assert (after.status, after.amount_received, after.amount_capturable) == ("succeeded", 3000, 0)
    assert isinstance(after.latest_charge, stripe.Charge)
    assert (after.latest_charge.amount_captured, after.latest_charge.amount_refunded) == (3000, 0)


@pytest.mark.parametrize(
    ("method", "code", "decline_code"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedLostCard", "card_declined", "lost_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", None),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", None),
    ],
)
async def test_card_error_names_the_reason_when_the_bank_declines(
    sdk: stripe.StripeClient, method: str, code: str, decline_code: str | None
) -> None:
    intent = await intents.new(sdk)

    with pytest.raises(stripe.CardError) as refusal:
        await sdk.v1.payment_intents.confirm_async(intent.id, {"payment_method": method})

    error = refusal.value.error
    assert error is not None
    assert (refusal.value.http_status, refusal.value.code) == (402, code)
    assert getattr(error, "decline_code", None) == decline_code
    assert error.payment_intent is not None
    assert error.payment_intent.id == intent.id
    after = await sdk.v1.payment_intents.retrieve_async(intent.id)
    assert (after.status, after.amount_capturable) == ("requires_payment_method", 0)
    assert after.last_payment_error is not None
    assert after.last_payment_error.code == code


async def test_intent_is_authorised_when_another_card_follows_a_decline(sdk: stripe.StripeClient) -> None:
    intent = await intents.new(sdk)
    with pytest.raises(stripe.CardError):
        await sdk.v1.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_chargeDeclined"})

    after = await sdk.v1.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_mastercard"})

    assert after.status == "requires_capture"
    assert after.last_payment_error is None


async def test_intent_waits_for_the_buyer_when_the_card_asks_for_3d_secure(sdk: stripe.StripeClient) -> None:
    intent = await intents.new(sdk)

    after = await sdk.v1.payment_intents.confirm_async(
        intent.id,
        {"payment_method": "pm_card_threeDSecure2Required", "return_url": "http://localhost/back?a=1"},
    )

    assert (after.status, after.amount_capturable) == ("requires_action", 0)
    assert after.next_action is not None
    assert after.next_action.type == "redirect_to_url"
    assert after.next_action.redirect_to_url is not None
    assert after.next_action.redirect_to_url.return_url == "http://localhost/back?a=1"


@pytest.mark.parametrize(
    ("outcome", "status", "redirect_status"),
    [
        ("complete", "requires_capture", "succeeded"),
        ("fail", "requires_payment_method", "failed"),
    ],
)
async def test_buyer_returns_when_the_challenge_page_is_answered(
    sdk: stripe.StripeClient, raw: httpx.AsyncClient, outcome: str, status: str, redirect_status: str
) -> None:
    intent = await intents.new(sdk)
    asked = await sdk.v1.payment_intents.confirm_async(
        intent.id,
        {"payment_method": "pm_card_authenticationRequired", "return_url": "http://localhost/back?a=1"},
    )
    assert asked.next_action is not None
    assert asked.next_action.redirect_to_url is not None
    url = asked.next_action.redirect_to_url.url or ""

    page = await raw.get(url)
    answer = await raw.post(url, data={"outcome": outcome})

    assert page.status_code == 200
    assert "50.00 USD" in page.text
    assert answer.status_code == 303
    assert answer.headers["location"] == (
        f"http://localhost/back?a=1&payment_intent={intent.id}"
        f"&payment_intent_client_secret={intent.client_secret}&redirect_status={redirect_status}"
    )
    after = await sdk.v1.payment_intents.retrieve_async(intent.id)
    assert after.status == status
    assert (await raw.post(url, data={"outcome": outcome})).status_code == 410


async def test_error_says_so_when_the_challenge_fails(sdk: stripe.StripeClient, control: Control) -> None:
    intent = await intents.authorised(sdk, method="pm_card_threeDSecure2Required")
    assert intent.status == "requires_action"

    answer = await control.finish_challenge(intent.id, "fail")

    assert answer.json() == {"id": intent.id, "status": "requires_payment_method"}
    after = await sdk.v1.payment_intents.retrieve_async(intent.id)
    assert after.last_payment_error is not None
    assert after.last_payment_error.code == "payment_intent_authentication_failure"


async def test_bank_declines_when_the_challenged_card_has_no_funds(
    sdk: stripe.StripeClient, control: Control
) -> None:
    method = "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds"
    intent = await intents.authorised(sdk, method=method)

    await control.finish_challenge(intent.id, "complete")

    after = await sdk.v1.payment_intents.retrieve_async(intent.id)
    assert after.status == "requires_payment_method"
    assert after.last_payment_error is not None
    assert after.last_payment_error.decline_code == "insufficient_funds"


async def test_challenge_is_closed_when_the_intent_was_cancelled_meanwhile(
    sdk: stripe.StripeClient, control: Control
) -> None:
    intent = await intents.authorised(sdk, method="pm_card_threeDSecure2Required")
    await sdk.v1.payment_intents.cancel_async(intent.id)

    answer = await control.finish_challenge(intent.id, "complete")

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "payment_intent_unexpected_state")
    assert (await sdk.v1.payment_intents.retrieve_async(intent.id)).status == "canceled"


@pytest.mark.parametrize(
    ("method", "status"),
    [
        ("pm_card_processing", "requires_capture"),
        ("pm_card_processingFails", "requires_payment_method"),
    ],
)
async def test_slow_payment_ends_later_when_the_card_takes_time(
    sdk: stripe.StripeClient, control: Control, method: str, status: str
) -> None:
    intent = await intents.authorised(sdk, method=method)
    assert intent.status == "processing"
    with pytest.raises(stripe.InvalidRequestError):
        await sdk.v1.payment_intents.cancel_async(intent.id)

    await control.hurry()

    after = await sdk.v1.payment_intents.retrieve_async(intent.id)
    while after.status == "processing":
        after = await sdk.v1.payment_intents.retrieve_async(intent.id)
    assert after.status == status


async def test_authorisation_stays_when_the_capture_fails(sdk: stripe.StripeClient) -> None:
    intent = await intents.authorised(sdk, method="pm_card_captureFails")

    with pytest.raises(stripe.CardError) as refusal:
        await sdk.v1.payment_intents.capture_async(intent.id)

    assert refusal.value.code == "capture_charge_authorization_expired"
    after = await sdk.v1.payment_intents.cancel_async(intent.id)
    assert (after.status, after.amount_received) == ("canceled", 0)


async def test_intent_is_cancelled_when_the_authorisation_runs_out(
    sdk: stripe.StripeClient, control: Control
) -> None:
    intent = await intents.authorised(sdk)

    await control.client.post(f"/_control/intents/{intent.id}/expire")

    after = await sdk.v1.payment_intents.retrieve_async(intent.id)
    assert (after.status, after.cancellation_reason, after.amount_capturable) == ("canceled", "expired", 0)


@pytest.mark.parametrize(
    ("stage", "step"),
    [
        ("new", "capture"),
        ("cancelled", "capture"),
        ("captured", "capture"),
        ("cancelled", "confirm"),
        ("authorised", "confirm"),
        ("captured", "confirm"),
        ("cancelled", "cancel"),
        ("captured", "cancel"),
        ("authorised", "reprice"),
        ("captured", "reprice"),
        ("cancelled", "reprice"),
    ],
)
async def test_state_is_kept_when_a_step_does_not_fit_it(
    sdk: stripe.StripeClient, stage: str, step: str
) -> None:
    intent = await (intents.captured(sdk) if stage == "captured" else intents.new(sdk))
    api = sdk.v1.payment_intents
    if stage == "authorised":
        intent = await api.confirm_async(intent.id, {"payment_method": "pm_card_visa"})
    if stage == "cancelled":
        intent = await api.cancel_async(intent.id)
    steps = {
        "capture": lambda: api.capture_async(intent.id),
        "confirm": lambda: api.confirm_async(intent.id, {"payment_method": "pm_card_visa"}),
        "cancel": lambda: api.cancel_async(intent.id),
        "reprice": lambda: api.update_async(intent.id, {"amount": 9900}),
    }

    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await steps[step]()

    assert (refusal.value.http_status, refusal.value.code) == (400, "payment_intent_unexpected_state")
    after = await api.retrieve_async(intent.id)
    assert (after.status, after.amount, after.amount_received) == (
        intent.status,
        intent.amount,
        intent.amount_received,
    )


async def test_capture_is_refused_when_it_is_above_what_is_authorised(sdk: stripe.StripeClient) -> None:
    intent = await intents.authorised(sdk, 5000)

    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await sdk.v1.payment_intents.capture_async(intent.id, {"amount_to_capture": 5001})

    assert (refusal.value.param, refusal.value.code) == ("amount_to_capture", "amount_too_large")
    assert (await sdk.v1.payment_intents.retrieve_async(intent.id)).amount_capturable == 5000


async def test_amount_metadata_and_method_change_when_the_intent_is_open(sdk: stripe.StripeClient) -> None:
    intent = await intents.new(sdk, metadata={"order_id": "o-1", "seat": "A1"})

    after = await sdk.v1.payment_intents.update_async(
        intent.id, {"amount": 7000, "metadata": {"seat": "", "row": "B"}, "payment_method": "pm_card_visa"}
    )

    assert (after.amount, after.status) == (7000, "requires_confirmation")
    assert after.metadata.to_dict() == {"order_id": "o-1", "row": "B"}
    assert (await sdk.v1.payment_intents.confirm_async(intent.id)).amount_capturable == 7000


async def test_intents_are_listed_newest_first_when_paged(sdk: stripe.StripeClient) -> None:
    made = [(await intents.new(sdk)).id for _ in range(5)]

    first = await sdk.v1.payment_intents.list_async({"limit": 2})
    second = await sdk.v1.payment_intents.list_async({"limit": 2, "starting_after": first.data[-1].id})
    future = await sdk.v1.payment_intents.list_async({"created": {"gte": 4_000_000_000}})

    assert [one.id for one in [*first.data, *second.data]] == made[:0:-1]
    assert first.has_more
    assert future.data == []


@pytest.mark.parametrize(
    ("params", "status", "code", "param"),
    [
        ({"currency": "usd"}, 400, "parameter_missing", "amount"),
        ({"amount": "100"}, 400, "parameter_missing", "currency"),
        ({"amount": "ten", "currency": "usd"}, 400, "parameter_invalid_integer", "amount"),
        ({"amount": "0", "currency": "krw"}, 400, "parameter_invalid_integer", "amount"),
        ({"amount": "49", "currency": "usd"}, 400, "amount_too_small", "amount"),
        ({"amount": "100000000", "currency": "usd"}, 400, "amount_too_large", "amount"),
        ({"amount": "1234", "currency": "isk"}, 400, "parameter_invalid_integer", "amount"),
        ({"amount": "100", "currency": "dollars"}, 400, None, "currency"),
        ({"amount": "100", "currency": "usd", "colour": "red"}, 400, "parameter_unknown", "colour"),
        (
            {"amount": "100", "currency": "usd", "payment_method_types[]": "card"},
            400,
            "payment_method_types_no_longer_supported",
            "payment_method_types",
        ),
        (
            {"amount": "100", "currency": "usd", "payment_method": "pm_none"},
            404,
            "resource_missing",
            "payment_method",
        ),
        ({"amount": "100", "currency": "usd", "metadata[k]": "x" * 501}, 400, None, "metadata[k]"),
        ({"amount[": "100", "currency": "usd"}, 400, None, None),
    ],
)
async def test_refusal_names_the_parameter_when_it_does_not_fit(
    raw: httpx.AsyncClient, params: dict[str, str], status: int, code: str | None, param: str | None
) -> None:
    answer = await raw.post("/v1/payment_intents", data=params)

    error = answer.json()["error"]
    assert (answer.status_code, error.get("code"), error.get("param")) == (status, code, param)
    assert error["type"] == "invalid_request_error"
    assert answer.headers["request-id"].startswith("req_")


async def test_won_are_charged_whole_when_the_currency_has_no_decimals(sdk: stripe.StripeClient) -> None:
    intent = await intents.authorised(sdk, 88_000, currency="krw")

    assert (intent.amount_capturable, intent.currency) == (88_000, "krw")


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer sk_live_x"}, {"Authorization": "Basic !"}])
async def test_nobody_gets_in_when_the_key_does_not_fit(
    raw: httpx.AsyncClient, header: dict[str, str]
) -> None:
    del raw.headers["Authorization"]

    answer = await raw.get("/v1/payment_intents", headers=header)

    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "invalid_request_error"


async def test_404_answers_in_stripes_shape_when_there_is_no_such_thing(sdk: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await sdk.v1.payment_intents.retrieve_async("pi_none")
    with pytest.raises(stripe.InvalidRequestError) as elsewhere:
        await sdk.v1.customers.list_async()

    assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")
    assert refusal.value.user_message == "No such payment_intent: 'pi_none'"
    assert elsewhere.value.http_status == 404


async def test_method_and_events_are_there_when_retrieved(sdk: stripe.StripeClient) -> None:
    intent = await intents.authorised(sdk, method="pm_card_mastercard")

    method = await sdk.v1.payment_methods.retrieve_async(str(intent.payment_method))
    events = await sdk.v1.events.list_async({"type": "payment_intent.amount_capturable_updated", "limit": 1})
    event = await sdk.v1.events.retrieve_async(events.data[0].id)

    assert method.card is not None
    assert (method.card.brand, method.card.last4) == ("mastercard", "4444")
    assert event.data.object["id"] == intent.id
    assert event.api_version == stripe.api_version
