"""Data that was stored long enough is removed, and nothing else."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

import db.queries.retention as batches
from domain.ids import user_id_of
from domain.viewer import GUEST_SUBJECT, Viewer
from kit.clock import utc_now
from services.context import ServiceContext
from services.identity.retention import Retention, remove_outdated
from services.ordering.attempt import ReserveRequest
from services.ordering.release import release
from services.ordering.reserve import reserve
from services.ordering.selection import ExactSeats
from tests.events import buyer, open_event
from workers.retention import LOOK_SECONDS, RetentionSweep

NOW = utc_now()
ALL = Retention(guest_days=10, queue_days=10, network_days=10, webhook_days=10)
OLD, RECENT = NOW - timedelta(days=11), NOW - timedelta(days=9)


def guest(name: str) -> Viewer:
    subject = f"{GUEST_SUBJECT}{name}-{uuid4()}"
    return Viewer(user_id_of(subject), subject, f"{name}@example.org", name, frozenset({"buy"}))


async def order_of(context: ServiceContext, who: Viewer, over_at: datetime, *, ends: bool = True) -> UUID:
    """A released (or, without `ends`, a held) order for an event that was over at a time."""
    event_id = await open_event(context.database, rows=[4])
    order = await reserve(context, who, ReserveRequest(event_id, ExactSeats((0,))))
    if ends:
        await release(context, who, order.id)
    await run(context, "UPDATE events SET starts_at = $2 WHERE id = $1", event_id, over_at)
    await run(context, "UPDATE orders SET network = '5.6.7.8' WHERE id = $1", order.id)
    await run(context, "UPDATE users SET created_at = $2 WHERE id = $1", who.user_id, OLD)
    return event_id


async def run(context: ServiceContext, statement: str, *arguments: object) -> None:
    await context.database.fetch(statement, *arguments)


async def wait_in_line(context: ServiceContext, event_id: UUID) -> None:
    await run(
        context,
        "INSERT INTO queue_entries (event_id, user_id, state, place, sequence) VALUES ($1, $2, 'F', 1, 1)",
        event_id,
        uuid4(),
    )


async def receive_webhook(context: ServiceContext, name: str, at: datetime) -> None:
    await run(context, "INSERT INTO stripe_events VALUES ($1, 'payment_intent.succeeded', $2)", name, at)


async def values(context: ServiceContext, query: str) -> list[object]:
    return [record[0] for record in await context.database.fetch(query)]


async def test_guest_is_anonymous_when_all_their_events_were_long_over(context: ServiceContext) -> None:
    old, recent, both, holding = (guest(name) for name in ("old", "recent", "both", "holding"))
    user = buyer("signed in")
    for who, over_at in ((old, OLD), (recent, RECENT), (both, OLD), (both, RECENT), (user, OLD)):
        await order_of(context, who, over_at)
    await order_of(context, holding, OLD, ends=False)

    assert await remove_outdated(context.database, Retention(guest_days=10), NOW) == 1

    emails = "SELECT email FROM users JOIN orders ON user_id = users.id ORDER BY email NULLS FIRST"
    assert await values(context, emails) == [
        None,
        *sorted([both.email, both.email, holding.email, recent.email, user.email], key=str),
    ]
    assert await remove_outdated(context.database, Retention(guest_days=10), NOW) == 0


async def test_rows_are_removed_when_their_days_have_passed(context: ServiceContext) -> None:
    over = await order_of(context, buyer("ann"), OLD)
    recent = await order_of(context, buyer("bob"), RECENT)
    for event_id in (over, recent):
        await wait_in_line(context, event_id)
    await receive_webhook(context, "evt_old", OLD)
    await receive_webhook(context, "evt_recent", RECENT)

    assert await remove_outdated(context.database, ALL, NOW) == 3

    assert await values(context, "SELECT event_id FROM queue_entries") == [recent]
    assert await values(context, "SELECT event_id FROM orders WHERE network IS NOT NULL") == [recent]
    assert await values(context, "SELECT event_id FROM stripe_events") == ["evt_recent"]


async def test_network_stays_when_the_order_is_unpaid(context: ServiceContext) -> None:
    await order_of(context, buyer("ann"), OLD, ends=False)

    assert await remove_outdated(context.database, ALL, NOW) == 0

    assert await values(context, "SELECT network FROM orders") == ["5.6.7.8"]


async def test_claims_are_removed_when_nothing_was_sold_and_the_event_was_long_over(
    context: ServiceContext,
) -> None:
    over = await order_of(context, buyer("ann"), OLD)
    booked = await order_of(context, buyer("bob"), OLD)
    holding = await order_of(context, buyer("cat"), OLD, ends=False)
    recent = await order_of(context, buyer("dan"), RECENT)
    await run(context, "UPDATE orders SET state = 'REFUNDED' WHERE event_id = $1", booked)

    assert await remove_outdated(context.database, Retention(claim_days=10), NOW) == 1

    left = await values(context, "SELECT event_id FROM claims")
    assert set(left) == {booked, holding, recent} and over not in left
    assert len(await values(context, "SELECT id FROM orders")) == 4


async def test_everything_stays_when_no_days_are_set(context: ServiceContext) -> None:
    await wait_in_line(context, await order_of(context, guest("ann"), OLD))
    await receive_webhook(context, "evt_old", OLD)

    assert await remove_outdated(context.database, Retention(), NOW) == 0

    assert await values(context, "SELECT network FROM orders") == ["5.6.7.8"]
    assert await values(context, "SELECT event_id FROM stripe_events") == ["evt_old"]
    assert len(await values(context, "SELECT event_id FROM queue_entries")) == 1


async def test_sweep_goes_on_by_batches_until_nothing_is_left(
    context: ServiceContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH", 2)
    for number in range(5):
        await receive_webhook(context, f"evt_{number}", OLD)
    seconds = 0.0
    sweep = RetentionSweep(
        context.database, Retention(webhook_days=10), clock=lambda: NOW, monotonic=lambda: seconds
    )

    assert [await sweep() for _ in range(4)] == [2, 2, 1, 0]
    await receive_webhook(context, "evt_late", OLD)
    assert await sweep() == 0, "it looks once an hour"
    seconds += LOOK_SECONDS
    assert await sweep() == 1


async def test_idempotency_keys_are_removed_when_a_day_has_passed(context: ServiceContext) -> None:
    ages = {"free": timedelta(hours=24, seconds=1), "kept": timedelta(hours=23, minutes=59)}
    for key, age in ages.items():
        await run(
            context,
            "INSERT INTO idempotency_keys VALUES ($1, 'createEvent', $2, 'hash', $1, $3)",
            uuid4(),
            key,
            NOW - age,
        )

    assert await remove_outdated(context.database, Retention(), NOW) == 1
    assert await values(context, "SELECT key FROM idempotency_keys") == ["kept"]
