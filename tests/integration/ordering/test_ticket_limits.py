"""The limits of one person and of one network: what counts, what makes room, and who is exempt."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from db.queries.claims import live_claims
from db.queries.orders import OrderRow
from domain.errors import BoxofficeError, LimitExceeded, SlowDown
from domain.ids import user_id_of
from domain.ticket_limits import NetworkLimit
from domain.viewer import Viewer
from reservations.keys import event_keys
from services.context import ServiceContext
from services.ordering.attempt import ReserveRequest
from services.ordering.expiry import expire_lapsed
from services.ordering.outbox import deliver
from services.ordering.pay import pay
from services.ordering.refund import refund
from services.ordering.release import release
from services.ordering.reserve import reserve
from services.ordering.selection import BestAvailable, ExactSeats, GeneralAdmission
from tests.events import ORGANISER, ManualClock, buyer, open_event
from tests.orders import tickets_on

ANN, BOB = buyer("ann"), buyer("bob")
HOME, SCHOOL = "1.1.1.1", "8.8.8.8"


def guest(email: str) -> Viewer:
    subject = f"guest:{uuid4()}"
    return Viewer(user_id_of(subject), subject, email, None, frozenset({"buy"}))


async def house(context: ServiceContext, limit: int = 4, **changes: Any) -> UUID:
    """Forty places without numbers, and a limit for each person."""
    return await open_event(context.database, standing=40, max_tickets_per_person=limit, **changes)


async def take(
    context: ServiceContext, event_id: UUID, who: Viewer, quantity: int, *, address: str = ""
) -> OrderRow:
    request = ReserveRequest(event_id, GeneralAdmission(0, quantity))
    return await reserve(context, who, request, address=address)


async def refused(
    context: ServiceContext, event_id: UUID, who: Viewer, quantity: int, *, address: str = ""
) -> BoxofficeError:
    """The refusal of some more tickets, which changes neither Redis nor PostgreSQL."""
    claims = await live_claims(context.database, [event_id])
    places = (await context.seats.snapshot(event_id)).places
    with pytest.raises((LimitExceeded, SlowDown)) as refusal:
        await take(context, event_id, who, quantity, address=address)
    assert await live_claims(context.database, [event_id]) == claims
    assert (await context.seats.snapshot(event_id)).places == places
    return refusal.value


async def limit_and_have(
    context: ServiceContext, event_id: UUID, who: Viewer, quantity: int
) -> tuple[int, int]:
    refusal = await refused(context, event_id, who, quantity)
    assert isinstance(refusal, LimitExceeded)
    return refusal.limit, refusal.have


async def test_second_order_is_refused_when_the_person_has_all_the_limit_allows(
    context: ServiceContext,
) -> None:
    event_id = await house(context)
    await take(context, event_id, ANN, 3)

    assert await limit_and_have(context, event_id, ANN, 2) == (4, 3)
    await take(context, event_id, ANN, 1)
    assert await limit_and_have(context, event_id, ANN, 1) == (4, 4)
    await take(context, event_id, BOB, 4)


async def test_limit_is_the_orders_when_none_is_set_for_persons(context: ServiceContext) -> None:
    event_id = await open_event(context.database, standing=40, max_tickets_per_order=3)
    await take(context, event_id, ANN, 2)

    assert await limit_and_have(context, event_id, ANN, 2) == (3, 2)


async def test_every_selection_is_limited(context: ServiceContext) -> None:
    event_id = await open_event(context.database, rows=[10], standing=9, max_tickets_per_person=2)
    await reserve(context, ANN, ReserveRequest(event_id, ExactSeats((0, 1))))

    for selection in (ExactSeats((4,)), BestAvailable(1), GeneralAdmission(1, 1)):
        with pytest.raises(LimitExceeded):
            await reserve(context, ANN, ReserveRequest(event_id, selection))


async def test_free_event_is_limited_too(context: ServiceContext) -> None:
    event_id = await house(context, price=0, fee=0)
    order = await take(context, event_id, ANN, 4)
    await pay(context, ANN, order.id, None)
    await deliver(context)

    assert await limit_and_have(context, event_id, ANN, 1) == (4, 4)


async def test_another_event_has_a_budget_of_its_own(context: ServiceContext) -> None:
    await take(context, await house(context), ANN, 4)

    await take(context, await house(context), ANN, 4)


async def test_same_order_is_answered_when_its_request_is_repeated_at_the_limit(
    context: ServiceContext,
) -> None:
    event_id = await house(context)
    request = ReserveRequest(event_id, GeneralAdmission(0, 4), idempotency_key="once")
    order = await reserve(context, ANN, request)

    assert (await reserve(context, ANN, request)).id == order.id
    await context.seats._command("FLUSHALL")
    assert (await reserve(context, ANN, request)).id == order.id


async def test_released_tickets_make_room(context: ServiceContext) -> None:
    event_id = await house(context)
    order = await take(context, event_id, ANN, 4)

    await release(context, ANN, order.id)

    await take(context, event_id, ANN, 4)


async def test_lapsed_tickets_make_room_at_the_deadline(context: ServiceContext, clock: ManualClock) -> None:
    event_id = await house(context)
    await take(context, event_id, ANN, 4)
    clock.advance(seconds=481)

    await take(context, event_id, ANN, 4)
    await expire_lapsed(context)

    assert await limit_and_have(context, event_id, ANN, 1) == (4, 4)


async def test_booked_tickets_count_and_refunded_ones_make_room(context: ServiceContext) -> None:
    event_id = await house(context)
    order = await take(context, event_id, ANN, 4)
    await pay(context, ANN, order.id, "pm_card_visa")
    await deliver(context)
    assert await limit_and_have(context, event_id, ANN, 1) == (4, 4)

    await refund(context, ORGANISER, order.id, await tickets_on(context.database, order.id, 0, 1))
    await deliver(context)

    assert await limit_and_have(context, event_id, ANN, 3) == (4, 2)
    await take(context, event_id, ANN, 2)


async def test_nothing_is_forgotten_when_redis_is_emptied(context: ServiceContext) -> None:
    event_id = await house(context)
    limited = replace(context, network_limit=NetworkLimit(3))
    await take(context, event_id, guest("cy@example.org"), 2)
    await take(limited, event_id, ANN, 3, address=HOME)
    await context.seats._command("FLUSHALL")

    assert await limit_and_have(context, event_id, ANN, 2) == (4, 3)
    assert await limit_and_have(context, event_id, guest("cy@example.org"), 3) == (4, 2)
    assert isinstance(await refused(limited, event_id, BOB, 1, address=HOME), SlowDown)


async def test_limit_counts_at_once_when_the_organiser_lowers_it(context: ServiceContext) -> None:
    event_id = await house(context)
    await take(context, event_id, ANN, 3)
    await context.change_event(
        event_id,
        lambda connection: connection.execute(
            "UPDATE events SET max_tickets_per_person = 2 WHERE id = $1", event_id
        ),
    )

    assert await limit_and_have(context, event_id, ANN, 1) == (2, 3)


async def test_guest_is_the_same_person_when_the_address_differs_in_tag_and_case(
    context: ServiceContext,
) -> None:
    event_id = await house(context)
    first = guest("cy@example.org")
    await take(context, event_id, first, 3)

    assert await limit_and_have(context, event_id, guest("CY+tickets@example.org"), 2) == (4, 3)
    assert await limit_and_have(context, event_id, first, 2) == (4, 3)


async def test_guest_learns_nothing_of_another_account_when_the_limit_refuses(
    context: ServiceContext,
) -> None:
    event_id = await house(context)
    await take(context, event_id, guest("cy@example.org"), 4)

    answers = [await limit_and_have(context, event_id, guest("cy@example.org"), n) for n in (1, 2, 4)]

    assert answers == [(4, 4), (4, 3), (4, 1)]


async def test_guest_and_user_are_one_person_when_the_address_is_verified(context: ServiceContext) -> None:
    event_id = await house(context)
    await take(context, event_id, guest("ANN+x@example.org"), 2)
    await take(context, event_id, ANN, 1)

    assert await limit_and_have(context, event_id, ANN, 2) == (4, 3)
    assert await limit_and_have(context, event_id, guest("ann@example.org"), 2) == (4, 3)
    await take(context, event_id, replace(ANN, email_verified=False), 3)


async def test_users_are_two_persons_when_they_have_one_address(context: ServiceContext) -> None:
    event_id = await house(context)
    await take(context, event_id, ANN, 4)

    await take(context, event_id, replace(BOB, email=ANN.email), 4)

    assert await limit_and_have(context, event_id, BOB, 1) == (4, 4)


async def test_organiser_sells_without_a_limit_by_role_alone(context: ServiceContext) -> None:
    event_id = await house(context, limit=2)
    limited = replace(context, network_limit=NetworkLimit(1))

    await take(limited, event_id, ORGANISER, 8, address=HOME)
    await take(limited, event_id, ORGANISER, 8, address=HOME)

    as_buyer = buyer("organiser", "buy")
    other = buyer("other", "buy", "organise")
    assert await limit_and_have(context, event_id, as_buyer, 3) == (2, 0)
    assert await limit_and_have(context, event_id, other, 3) == (2, 0)


async def test_network_slows_down_when_it_holds_too_many_unpaid_tickets(context: ServiceContext) -> None:
    limited = replace(context, network_limit=NetworkLimit(5))
    event_id = await house(context)
    order = await take(limited, event_id, ANN, 4, address=HOME)

    refusal = await refused(limited, event_id, BOB, 2, address=HOME)
    assert isinstance(refusal, SlowDown) and refusal.retry_after_seconds == 30
    assert not any(character.isdigit() for character in refusal.message)
    await take(limited, event_id, BOB, 2, address=SCHOOL)

    await pay(context, ANN, order.id, "pm_card_visa")
    await deliver(context)
    await take(limited, event_id, buyer("cy"), 4, address="::ffff:1.1.1.1")


async def test_private_network_counts_only_when_a_number_is_set(context: ServiceContext) -> None:
    event_id = await house(context)
    default = replace(context, network_limit=NetworkLimit(2))
    given = replace(context, network_limit=NetworkLimit(2, private_too=True))
    off = replace(context, network_limit=NetworkLimit(0, private_too=True))

    await take(default, event_id, ANN, 3, address="10.0.0.1")
    await take(off, event_id, BOB, 3, address="10.0.0.1")

    assert isinstance(await refused(given, event_id, buyer("cy"), 3, address="10.0.0.1"), SlowDown)


async def test_buyers_that_left_do_not_pile_up_in_redis(context: ServiceContext) -> None:
    event_id = await house(context)

    for number in range(60):
        order = await take(context, event_id, buyer(f"b{number}"), 1)
        await release(context, buyer(f"b{number}"), order.id)

    assert await context.seats._command("HLEN", event_keys(event_id).buyers) <= 20
