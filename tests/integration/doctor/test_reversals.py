"""The doctor on money that went back at Stripe, and on a refund that cannot be sent."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

import commands.doctor
from devservices.local_stripe import LocalStripe
from domain.ids import Kind, public_id
from services.context import ServiceContext
from services.doctor.examine import Documents, Finding, Where, examine
from services.doctor.examine_payments import Progress
from services.ordering.refund import refund
from services.ordering.sweeps import sweep_reversals
from tests.events import ORGANISER, ManualClock
from tests.integration.doctor.test_examine import WEEK, booked, intent_of, look, repaired, work
from tests.local_stripe import Control


@pytest.fixture
async def control(stripe_server: LocalStripe) -> AsyncIterator[Control]:
    control = Control(stripe_server.url())
    yield control
    await control.clear_faults()
    await control.client.aclose()


async def sweep(context: ServiceContext, clock: ManualClock) -> None:
    clock.advance(seconds=40)
    await sweep_reversals(context)
    await work(context)


async def test_refund_that_cannot_be_sent_is_found_although_its_tries_are_counted(
    context: ServiceContext, clock: ManualClock, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await booked(context)
    await control.add_fault("refund.fail", None, match={"intent": await intent_of(context, order)})
    await refund(context, ORGANISER, order.id)
    await work(context)
    clock.advance(seconds=90)
    tries = []

    async def examine_and_try(
        context: ServiceContext, engine: Documents | None, since: timedelta, _progress: Progress
    ) -> list[Finding]:
        found = await examine(context, engine, since)
        await work(context)
        clock.advance(seconds=60)
        tries.append([one.sentence for one in found if one.where is Where.OUTBOX])
        return found

    monkeypatch.setattr(commands.doctor, "examine", examine_and_try)
    monkeypatch.setattr(commands.doctor, "LOOK_AGAIN_SECONDS", 0)

    found = await commands.doctor.lasting(context, None, WEEK)

    assert [one.subject for one in found if one.where is Where.OUTBOX] == [str(order.id)]
    assert tries[0] != tries[1]


@pytest.mark.parametrize("amount", [None, 1000])
async def test_refund_by_hand_is_taken_in_when_the_doctor_repairs(
    context: ServiceContext, control: Control, amount: int | None
) -> None:
    order = await booked(context)
    await control.refund(await intent_of(context, order), amount)

    found = await look(context)

    assert [(one.where, one.subject) for one in found] == [(Where.STRIPE, public_id(Kind.ORDER, order.id))]
    assert await repaired(context, found) == []


async def test_nothing_is_found_when_ours_gave_back_what_was_left(
    context: ServiceContext, clock: ManualClock, control: Control
) -> None:
    order = await booked(context)
    await control.refund(await intent_of(context, order), 8000)
    await sweep(context, clock)
    assert await look(context) == []

    await refund(context, ORGANISER, order.id, None)
    await work(context)

    assert await look(context) == []


@pytest.mark.parametrize("outcome", ["won", "lost"])
async def test_nothing_is_found_when_a_dispute_is_open_and_when_it_is_decided(
    context: ServiceContext, clock: ManualClock, control: Control, outcome: str
) -> None:
    order = await booked(context)
    dispute = await control.dispute(await intent_of(context, order))
    await sweep(context, clock)
    assert await look(context) == []
    await refund(context, ORGANISER, order.id)
    await work(context)
    assert await look(context) == []

    await control.close_dispute(dispute["id"], outcome)
    await sweep(context, clock)

    assert await look(context) == []


async def test_person_pays_the_rest_when_stripe_refuses_what_a_dispute_left(
    context: ServiceContext, clock: ManualClock, control: Control
) -> None:
    order = await booked(context)
    dispute = await control.dispute(await intent_of(context, order), amount=5000)
    await control.close_dispute(dispute["id"], "lost")
    await sweep(context, clock)
    await refund(context, ORGANISER, order.id)
    await work(context)

    found = await look(context)

    assert {one.advice for one in found if one.kind.startswith("refund ")} == {"Pay it back by other means."}
