"""Holding is not free: after repeated releases a person waits before the next hold of the event."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
import redis

from domain.errors import SlowDown
from domain.viewer import Viewer
from kit.cache import Cache
from payments.stripe_gateway import StripeGateway
from services.context import ServiceContext
from services.ordering import order_writer
from services.ordering.attempt import ReserveRequest
from services.ordering.expiry import expire_lapsed, expire_paying
from services.ordering.outbox import deliver
from services.ordering.pay import pay
from services.ordering.refund import refund
from services.ordering.release import release
from services.ordering.reserve import reserve
from services.ordering.selection import ExactSeats
from tests.events import ORGANISER, ManualClock, buyer, open_event, service_context_on

ANN = buyer("ann")


def guest(number: int, email: str) -> Viewer:
    return replace(buyer(f"guest{number}"), subject=f"guest:{number}", email=email)


async def hold(context: ServiceContext, event_id: UUID, who: Viewer = ANN, key: str | None = None) -> UUID:
    request = ReserveRequest(event_id, ExactSeats((0,)), idempotency_key=key)
    return (await reserve(context, who, request)).id


async def release_often(context: ServiceContext, event_id: UUID, times: int, who: Viewer = ANN) -> None:
    for _ in range(times):
        await release(context, who, await hold(context, event_id, who))


async def refused_for(context: ServiceContext, event_id: UUID, who: Viewer = ANN) -> int:
    """The seconds that a hold is refused for; nothing is written or held by it."""
    before = await written(context, event_id)
    with pytest.raises(SlowDown) as refused:
        await hold(context, event_id, who)
    assert await written(context, event_id) == before
    return refused.value.retry_after_seconds


async def written(context: ServiceContext, event_id: UUID) -> tuple[int, bytes]:
    orders = await context.database.fetchval("SELECT count(*) FROM orders WHERE event_id = $1", event_id)
    return int(orders), (await context.seats.snapshot(event_id)).places


async def test_pauses_grow_when_seats_are_released_again_and_again(
    context: ServiceContext, clock: ManualClock
) -> None:
    event_id = await open_event(context.database, rows=[4])
    await release_often(context, event_id, 2)
    await release_often(context, event_id, 1)

    for pause_seconds in (30, 120, 600, 600):
        assert await refused_for(context, event_id) == pytest.approx(pause_seconds, abs=2)
        assert await refused_for(context, event_id) == pytest.approx(pause_seconds, abs=2)
        clock.advance(seconds=pause_seconds + 1)
        await release_often(context, event_id, 1)
    clock.advance(minutes=31)
    await release_often(context, event_id, 2)
    assert await hold(context, event_id)


async def test_other_persons_and_other_events_do_not_wait(context: ServiceContext) -> None:
    event_id = await open_event(context.database, rows=[4])
    other_event = await open_event(context.database, rows=[4])
    await release_often(context, event_id, 3)
    await refused_for(context, event_id)

    assert await hold(context, other_event)
    assert await hold(context, event_id, buyer("bob"))


async def test_a_lapse_and_a_declined_payment_that_lapses_count(
    context: ServiceContext, clock: ManualClock
) -> None:
    event_id = await open_event(context.database, rows=[4])
    await hold(context, event_id)
    clock.advance(seconds=481)  # nobody has swept it when the next hold comes
    declined = await hold(context, event_id)
    with pytest.raises(Exception, match="declined"):
        await pay(context, ANN, declined, "pm_card_chargeDeclined")
    clock.advance(seconds=601)
    await expire_lapsed(context)
    await expire_paying(context)
    await deliver(context)
    await release_often(context, event_id, 1)

    assert await refused_for(context, event_id) == pytest.approx(30, abs=2)


async def test_a_refund_and_a_booking_do_not_count(context: ServiceContext) -> None:
    event_id = await open_event(context.database, rows=[4])
    for _ in range(4):
        order_id = await hold(context, event_id)
        await pay(context, ANN, order_id, "pm_card_visa")
        await deliver(context)
        await refund(context, ORGANISER, order_id)
        await deliver(context)

    assert await hold(context, event_id)


async def test_the_pause_stands_when_redis_is_emptied_and_in_another_process(
    context: ServiceContext, postgres_url: str, redis_url: str, gateway: StripeGateway, clock: ManualClock
) -> None:
    event_id = await open_event(context.database, rows=[4])
    await release_often(context, event_id, 3)
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()

    assert await refused_for(context, event_id) == pytest.approx(30, abs=2)
    async with service_context_on(postgres_url, redis_url, gateway, clock) as other:
        assert await refused_for(other, event_id) == pytest.approx(30, abs=2)


async def test_nothing_is_asked_of_redis_when_the_process_knows_of_the_pause(
    context: ServiceContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    event_id = await open_event(context.database, rows=[4])
    await release_often(context, event_id, 3)
    await refused_for(context, event_id)

    async def forbidden(*_: Any, **__: Any) -> None:
        raise AssertionError("a hold was asked for")

    monkeypatch.setattr(context.seats, "hold", forbidden)
    await refused_for(context, event_id)


async def test_control_nobody_waits_when_the_orders_are_not_counted(
    context: ServiceContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_writer, "paused_until", lambda *_: None)
    event_id = await open_event(context.database, rows=[4])

    await release_often(context, event_id, 6)

    assert await hold(context, event_id)


async def test_guests_of_one_address_and_its_verified_owner_are_one_person(context: ServiceContext) -> None:
    event_id = await open_event(context.database, rows=[4])
    await release_often(context, event_id, 1, guest(1, "ann@example.org"))
    await release_often(context, event_id, 1, guest(2, "Ann+vip@Example.org"))
    await release_often(context, event_id, 1, ANN)

    for who in (ANN, guest(3, "ann@example.org")):
        await refused_for(context, event_id, who)
    assert await hold(context, event_id, replace(buyer("other"), email="ann@example.org"))


async def test_the_organiser_of_the_event_never_waits(context: ServiceContext) -> None:
    event_id = await open_event(context.database, rows=[4])

    await release_often(context, event_id, 6, ORGANISER)

    assert await hold(context, event_id, ORGANISER)


async def test_a_retry_finds_its_order_when_the_buyer_has_to_wait(context: ServiceContext) -> None:
    event_id = await open_event(context.database, rows=[4])
    first = await hold(context, event_id, key="first")
    await release(context, ANN, first)
    await release_often(context, event_id, 2)
    await refused_for(context, event_id)

    assert await hold(context, event_id, key="first") == first
    fresh = replace(context, hold_pauses=Cache(max_entries=10))
    assert await hold(fresh, event_id, key="first") == first
