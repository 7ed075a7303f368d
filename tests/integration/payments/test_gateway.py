"""The Stripe gateway against the local Stripe: outcomes, convergence, faults."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from payments.gateway import (
    Declined,
    GatewayRejected,
    GatewayUnavailable,
    IntentStatus,
)
from payments.stripe_gateway import CallLimits, StripeGateway
from tests.integration.payments.intents import key
from tests.integration.payments.purchases import BACK, authorised, captured, new
from tests.local_stripe import API_KEY, Control, StripeProcess


@pytest_asyncio.fixture
async def hasty(stripe_process: StripeProcess) -> AsyncIterator[StripeGateway]:
    """A gateway that waits a third of a second and asks once."""
    limits = CallLimits(read_seconds=0.3, whole_call_seconds=1.0, retries=0)
    gateway = StripeGateway(API_KEY, api_base=stripe_process.url, limits=limits)
    yield gateway
    await gateway.close()


async def test_intent_names_the_order_when_created(gateway: StripeGateway) -> None:
    order_id = uuid4()

    intent = await gateway.create_intent(order_id, 4550, "EUR", reference="BX-7", idempotency_key=key())

    assert intent.status is IntentStatus.REQUIRES_PAYMENT_METHOD
    assert (intent.amount_minor, intent.currency, intent.order_id) == (4550, "EUR", order_id)
    assert (intent.amount_capturable_minor, intent.amount_received_minor, intent.kept_minor) == (0, 0, 0)
    assert abs(datetime.now(UTC) - intent.created) < timedelta(seconds=5)
    assert intent.client_secret.startswith(intent.id)
    assert intent.client_secret not in repr(intent)


async def test_same_intent_is_answered_as_it_is_now_when_the_key_is_repeated(gateway: StripeGateway) -> None:
    order_id, create = uuid4(), key()
    first = await gateway.create_intent(order_id, 5000, "USD", reference="BX-1", idempotency_key=create)
    await gateway.confirm(first.id, "pm_card_visa", idempotency_key=key(), return_url=BACK)

    second = await gateway.create_intent(order_id, 5000, "USD", reference="BX-1", idempotency_key=create)

    assert (second.id, second.status) == (first.id, IntentStatus.REQUIRES_CAPTURE)


async def test_key_is_rejected_when_it_comes_with_another_amount(gateway: StripeGateway) -> None:
    order_id, create = uuid4(), key()
    await gateway.create_intent(order_id, 5000, "USD", reference="BX-1", idempotency_key=create)

    with pytest.raises(GatewayRejected) as refusal:
        await gateway.create_intent(order_id, 5001, "USD", reference="BX-1", idempotency_key=create)

    assert refusal.value.code == "idempotency_mismatch"


async def test_money_moves_once_when_every_step_is_repeated(gateway: StripeGateway, control: Control) -> None:
    intent = await new(gateway)
    confirm, capture, refund = key(), key(), key()

    for _ in range(3):
        await gateway.confirm(intent.id, "pm_card_visa", idempotency_key=confirm, return_url=BACK)
    for _ in range(3):
        paid = await gateway.capture(intent.id, idempotency_key=capture)
    refunds = [await gateway.refund(intent.id, 2000, "USD", idempotency_key=refund) for _ in range(3)]

    assert (paid.status, paid.amount_received_minor) == (IntentStatus.SUCCEEDED, 5000)
    assert len({one.id for one in refunds}) == 1
    after = await gateway.retrieve(intent.id)
    assert (after.refunded_minor, after.kept_minor) == (2000, 3000)
    row = await control.ledger_row(intent.id)
    assert (row["captured"], row["refunded"], len(row["refunds"])) == (5000, 2000, 1)


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ("pm_card_chargeDeclined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
    ],
)
async def test_decline_carries_its_reason_when_the_bank_says_no(
    gateway: StripeGateway, card: str, code: str
) -> None:
    intent, confirm = await new(gateway), key()

    for _ in range(2):
        with pytest.raises(Declined) as refusal:
            await gateway.confirm(intent.id, card, idempotency_key=confirm, return_url=BACK)
        assert refusal.value.code == code

    after = await gateway.retrieve(intent.id)
    assert (after.status, after.failure_code) == (IntentStatus.REQUIRES_PAYMENT_METHOD, code)


async def test_buyer_is_asked_when_the_card_wants_3d_secure(gateway: StripeGateway, control: Control) -> None:
    intent, confirm = await new(gateway), key()

    asked = await gateway.confirm(
        intent.id, "pm_card_threeDSecure2Required", idempotency_key=confirm, return_url=BACK
    )
    await control.finish_challenge(intent.id, "complete")
    again = await gateway.confirm(
        intent.id, "pm_card_threeDSecure2Required", idempotency_key=confirm, return_url=BACK
    )

    assert asked.status is IntentStatus.REQUIRES_ACTION
    assert asked.next_action is not None
    assert (asked.next_action.kind, asked.next_action.url is not None) == ("redirect_to_url", True)
    assert again.status is IntentStatus.REQUIRES_CAPTURE


async def test_authorised_intent_is_answered_when_confirmed_with_another_key(gateway: StripeGateway) -> None:
    intent = await authorised(gateway)

    again = await gateway.confirm(intent.id, "pm_card_visa", idempotency_key=key(), return_url=BACK)

    assert (again.id, again.status) == (intent.id, IntentStatus.REQUIRES_CAPTURE)


async def test_nothing_is_taken_when_a_cancelled_intent_is_confirmed_or_captured(
    gateway: StripeGateway, control: Control
) -> None:
    intent = await authorised(gateway)
    await gateway.cancel(intent.id, idempotency_key=key())

    for step in (
        gateway.capture(intent.id, idempotency_key=key()),
        gateway.confirm(intent.id, "pm_card_visa", idempotency_key=key(), return_url=BACK),
    ):
        with pytest.raises(GatewayRejected) as refusal:
            await step
        assert refusal.value.code == "payment_intent_unexpected_state"

    row = await control.ledger_row(intent.id)
    assert (row["status"], row["captured"], row["amount_capturable"]) == ("canceled", 0, 0)


async def test_captured_intent_is_answered_when_captured_with_another_key(gateway: StripeGateway) -> None:
    intent = await captured(gateway)

    again = await gateway.capture(intent.id, idempotency_key=key())

    assert (again.id, again.amount_received_minor) == (intent.id, 5000)


async def test_intent_ends_once_when_cancelled_twice(gateway: StripeGateway) -> None:
    intent, cancel = await authorised(gateway), key()

    first = await gateway.cancel(intent.id, idempotency_key=cancel)
    second = await gateway.cancel(intent.id, idempotency_key=cancel)
    third = await gateway.cancel(intent.id, idempotency_key=key())

    assert {one.status for one in (first, second, third)} == {IntentStatus.CANCELLED}
    assert third.refunded_minor == 0


@pytest.mark.parametrize(
    ("card", "status"),
    [("pm_card_visa", IntentStatus.SUCCEEDED), ("pm_card_processing", IntentStatus.PROCESSING)],
)
async def test_intent_is_answered_as_it_is_when_it_cannot_be_cancelled(
    gateway: StripeGateway, card: str, status: IntentStatus
) -> None:
    intent = await authorised(gateway, card=card)
    if status is IntentStatus.SUCCEEDED:
        await gateway.capture(intent.id, idempotency_key=key())

    after = await gateway.cancel(intent.id, idempotency_key=key())

    assert after.status is status


async def test_capture_comes_through_when_it_failed_some_times_under_one_key(
    gateway: StripeGateway, control: Control
) -> None:
    intent, capture = await authorised(gateway), key()
    await control.add_fault("capture.fail", count=3, match={"intent": intent.id})

    for _ in range(3):
        with pytest.raises(Declined) as refusal:
            await gateway.capture(intent.id, idempotency_key=capture)
        assert refusal.value.code == "processing_error"
    after = await gateway.capture(intent.id, idempotency_key=capture)

    assert (after.status, after.amount_received_minor) == (IntentStatus.SUCCEEDED, 5000)


async def test_capture_is_declined_when_the_card_never_gives_it(gateway: StripeGateway) -> None:
    intent, capture = await authorised(gateway, card="pm_card_captureFails"), key()

    for _ in range(3):
        with pytest.raises(Declined) as refusal:
            await gateway.capture(intent.id, idempotency_key=capture)
        assert refusal.value.code == "capture_charge_authorization_expired"

    assert (await gateway.retrieve(intent.id)).status is IntentStatus.REQUIRES_CAPTURE


OPERATIONS = ("payment_intent.create", "payment_intent.confirm", "payment_intent.capture", "refund.create")
FAULTS = (
    ("api.error", {"when": "before"}),
    ("api.error", {"when": "after"}),
    ("api.reset", {"when": "before"}),
    ("api.reset", {"when": "after"}),
    ("api.hang", {"when": "before", "seconds": 0.5}),
    ("api.hang", {"when": "after", "seconds": 0.5}),
    ("api.hang", {"when": "never", "seconds": 0.5}),
)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(("fault", "params"), FAULTS)
async def test_purchase_converges_when_an_answer_is_lost(
    hasty: StripeGateway, control: Control, operation: str, fault: str, params: dict[str, object]
) -> None:
    order_id, keys, unknown = uuid4(), [key() for _ in range(4)], 0
    await control.add_fault(fault, match={"operation": operation, "order_id": str(order_id)}, params=params)

    for _ in range(20):
        try:
            intent_id = await _buy_and_refund(hasty, order_id, keys)
            break
        except GatewayUnavailable:
            unknown += 1
            await asyncio.sleep(0.1)  # the hung call still holds the key: Stripe answers 409 until it ends

    assert unknown >= 1
    row = await control.ledger_row(intent_id)
    assert (row["status"], row["captured"], row["refunded"]) == ("succeeded", 5000, 2000)
    assert len(row["refunds"]) == 1


async def _buy_and_refund(gateway: StripeGateway, order_id: UUID, keys: list[str]) -> str:
    create, confirm, capture, refund = keys
    intent = await gateway.create_intent(order_id, 5000, "USD", reference="BX-1", idempotency_key=create)
    await gateway.confirm(intent.id, "pm_card_visa", idempotency_key=confirm, return_url=BACK)
    await gateway.capture(intent.id, idempotency_key=capture)
    await gateway.refund(intent.id, 2000, "USD", idempotency_key=refund)
    return intent.id


async def test_one_retry_hides_the_fault_when_a_connection_is_cut(
    gateway: StripeGateway, control: Control
) -> None:
    intent = await new(gateway)
    await control.add_fault(
        "api.reset", match={"operation": "payment_intent.confirm"}, params={"when": "after"}
    )

    after = await gateway.confirm(intent.id, "pm_card_visa", idempotency_key=key(), return_url=BACK)

    assert after.status is IntentStatus.REQUIRES_CAPTURE


async def test_capture_stays_failed_when_the_chain_of_keys_is_taken_away(
    gateway: StripeGateway, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the chain: one key alone replays its stored failure."""
    monkeypatch.setattr("payments.stripe_gateway.LONGEST_CHAIN", 1)
    intent, capture = await authorised(gateway), key()
    await control.add_fault("capture.fail", match={"intent": intent.id})

    for _ in range(3):
        with pytest.raises(Declined):
            await gateway.capture(intent.id, idempotency_key=capture)

    assert (await control.ledger_row(intent.id))["captured"] == 0


@pytest.mark.parametrize(
    ("currency", "amount", "charged"), [("KRW", 88_000, 88_000), ("ISK", 4_500, 450_000)]
)
async def test_amount_is_ours_again_when_stripe_counts_otherwise(
    gateway: StripeGateway, control: Control, currency: str, amount: int, charged: int
) -> None:
    intent = await new(gateway, amount, currency)
    await gateway.confirm(intent.id, "pm_card_visa", idempotency_key=key(), return_url=BACK)
    paid = await gateway.capture(intent.id, idempotency_key=key())
    refund = await gateway.refund(intent.id, amount, currency, idempotency_key=key())

    assert (paid.amount_received_minor, refund.amount_minor) == (amount, amount)
    assert (await control.ledger_row(intent.id))["captured"] == charged


async def test_altered_intent_shows_itself_when_fetched(gateway: StripeGateway, control: Control) -> None:
    intent = await new(gateway)
    await control.add_fault(
        "intent.alter",
        match={"intent": intent.id, "operation": "payment_intent.confirm"},
        params={"amount": 1, "currency": "eur", "metadata": {"order_id": "not one of ours"}},
    )

    after = await gateway.confirm(intent.id, "pm_card_visa", idempotency_key=key(), return_url=BACK)

    assert (after.amount_minor, after.amount_capturable_minor, after.currency) == (1, 1, "EUR")
    assert after.order_id is None


async def test_sweep_sees_every_intent_when_there_are_several_pages(gateway: StripeGateway) -> None:
    made = [(await new(gateway)).id for _ in range(105)]

    found = await gateway.recent_intents(datetime.now(UTC) - timedelta(minutes=5))
    few = await gateway.recent_intents(datetime.now(UTC) - timedelta(minutes=5), most=3)

    assert [one.id for one in found[:105]] == made[::-1]
    assert [one.id for one in few] == made[:-4:-1]
    assert await gateway.recent_intents(datetime.now(UTC) + timedelta(days=1)) == []


async def test_missing_intent_is_rejected_when_asked_for(gateway: StripeGateway) -> None:
    with pytest.raises(GatewayRejected) as refusal:
        await gateway.retrieve("pi_none")

    assert refusal.value.code == "resource_missing"


async def test_unavailable_is_the_word_when_nothing_listens_or_the_key_is_wrong(
    stripe_process: StripeProcess,
) -> None:
    deaf = StripeGateway(API_KEY, api_base="http://127.0.0.1:9", limits=CallLimits(retries=0))
    stranger = StripeGateway("sk_wrong", api_base=stripe_process.url)

    with pytest.raises(GatewayUnavailable) as unreachable:
        await deaf.retrieve("pi_x")
    with pytest.raises(GatewayUnavailable) as locked_out:
        await stranger.retrieve("pi_x")

    assert (unreachable.value.code, locked_out.value.code) == ("no_connection", "api_key_refused")
    await deaf.close()
    await stranger.close()


async def test_no_secret_is_logged_when_everything_is_logged(
    gateway: StripeGateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    intent = await authorised(gateway)

    assert intent.client_secret not in caplog.text
    assert API_KEY not in caplog.text
