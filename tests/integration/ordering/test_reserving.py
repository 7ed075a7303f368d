"""Holding seats: what is promised, what is refused, and that a refusal changes nothing."""

import asyncio
from uuid import UUID

import pytest

from db.queries.claims import live_claims
from db.queries.orders import OrderRow, claims_of_orders
from domain.errors import (
    Forbidden,
    IdempotencyMismatch,
    InvalidInput,
    LimitExceeded,
    NotEnoughSeats,
    NotFound,
    NotOnSale,
    OrphanSeat,
    SeatsGone,
    Unauthenticated,
)
from kit.ids import new_uuid
from reservations.keys import event_keys
from services.context import ServiceContext
from services.ordering.attempt import ReserveRequest
from services.ordering.reserve import reserve
from services.ordering.selection import BestAvailable, ExactSeats, GeneralAdmission, Selection
from tests.events import ManualClock, buyer, open_event

ANN, BOB = buyer("ann"), buyer("bob")


async def hold(context: ServiceContext, event_id: UUID, selection: Selection, who=ANN, key=None) -> OrderRow:  # type: ignore[no-untyped-def]
    return await reserve(context, who, ReserveRequest(event_id, selection, idempotency_key=key))


async def taken(context: ServiceContext, event_id: UUID) -> list[int]:
    return [claim.place for claim in await live_claims(context.database, [event_id])]


async def test_order_has_prices_claims_and_map_when_seats_are_free(context: ServiceContext) -> None:
    event_id = await open_event(context.database, rows=[5])

    order = await hold(context, event_id, ExactSeats((1, 2)))

    assert (order.state, order.subtotal_minor, order.fees_minor, order.total_minor) == (
        "RESERVED",
        10_000,
        500,
        10_500,
    )
    claims = await claims_of_orders(context.database, [order.id])
    assert [(claim.place, claim.state, claim.price_minor) for claim in claims] == [
        (1, "HELD", 5000),
        (2, "HELD", 5000),
    ]
    assert (await context.seats.snapshot(event_id)).places == b"AHHAA"


async def test_second_buyer_is_offered_others_when_a_seat_is_gone(context: ServiceContext) -> None:
    event_id = await open_event(context.database, rows=[6])
    await hold(context, event_id, ExactSeats((0, 1)))

    with pytest.raises(SeatsGone) as refusal:
        await hold(context, event_id, ExactSeats((1, 2)), BOB)

    assert refusal.value.places == (1,)
    assert len(refusal.value.alternatives) == 2
    assert not {0, 1} & set(refusal.value.alternatives)
    assert await taken(context, event_id) == [0, 1]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (ExactSeats(()), InvalidInput),
        (ExactSeats((1, 1)), InvalidInput),
        (ExactSeats((99,)), InvalidInput),
        (ExactSeats(tuple(range(9))), LimitExceeded),
        (BestAvailable(0), InvalidInput),
        (BestAvailable(9), LimitExceeded),
        (BestAvailable(2, price_level=7), InvalidInput),
        (BestAvailable(2, section=7), InvalidInput),
        (BestAvailable(2, section=1), InvalidInput),
        (GeneralAdmission(0, 2), InvalidInput),
        (GeneralAdmission(9, 2), InvalidInput),
        (GeneralAdmission(1, 4), NotEnoughSeats),
    ],
)
async def test_nothing_is_held_when_the_selection_does_not_fit(
    context: ServiceContext, selection: Selection, expected: type[Exception]
) -> None:
    event_id = await open_event(context.database, rows=[12], standing=3)

    with pytest.raises(expected):
        await hold(context, event_id, selection)

    assert await taken(context, event_id) == []
    assert (await context.seats.snapshot(event_id)).places == b"A" * 15


@pytest.mark.parametrize(
    "selection",
    [ExactSeats((0, 1)), BestAvailable(2), BestAvailable(2, price_level=0), GeneralAdmission(1, 2)],
)
async def test_nothing_is_held_when_a_card_cannot_be_charged_the_sum(
    context: ServiceContext, selection: Selection
) -> None:
    event_id = await open_event(context.database, rows=[4], standing=4, price=60_000_000, fee=50)

    with pytest.raises(InvalidInput) as refusal:
        await hold(context, event_id, selection)

    assert refusal.value.message == (
        "2 tickets come to 1,200,001.00 USD, fees included: one order can be charged 999,999.99 USD at most."
    )
    assert await taken(context, event_id) == []
    assert (await context.seats.snapshot(event_id)).places == b"A" * 8
    assert (await hold(context, event_id, BestAvailable(1))).total_minor == 60_000_050


async def test_nothing_is_held_when_an_older_event_is_too_cheap_to_charge(context: ServiceContext) -> None:
    event_id = await open_event(context.database, rows=[2])
    await context.database.fetch(
        "UPDATE seat_maps SET layout = jsonb_set(jsonb_set(layout, '{priceLevels,0,price}', '30'),"
        " '{priceLevels,0,fee}', '0')"
    )

    with pytest.raises(InvalidInput) as refusal:
        await hold(context, event_id, ExactSeats((0,)))

    assert refusal.value.message == (
        "1 ticket comes to 0.30 USD, fees included: a card can be charged 0.50 USD at least."
    )
    assert await taken(context, event_id) == []
    assert (await hold(context, event_id, ExactSeats((0, 1)))).total_minor == 60


async def test_refused_when_nobody_or_nobody_entitled_asks(context: ServiceContext) -> None:
    event_id = await open_event(context.database, rows=[3])

    with pytest.raises(Unauthenticated):
        await hold(context, event_id, ExactSeats((0,)), None)
    with pytest.raises(Forbidden):
        await hold(context, event_id, ExactSeats((0,)), buyer("doorman", "check_in"))

    assert await taken(context, event_id) == []


async def test_refused_when_the_event_is_not_on_sale(context: ServiceContext, clock: ManualClock) -> None:
    draft = await open_event(context.database, rows=[3], state="DRAFT")
    later = await open_event(context.database, rows=[3], on_sale_at=clock().replace(year=2200))
    over = await open_event(context.database, rows=[3], off_sale_at=clock().replace(year=2001))

    with pytest.raises(NotFound):
        await hold(context, new_uuid(), ExactSeats((0,)))
    with pytest.raises(NotFound):
        await hold(context, draft, ExactSeats((0,)))
    with pytest.raises(NotOnSale):
        await hold(context, later, ExactSeats((0,)))
    with pytest.raises(NotOnSale):
        await hold(context, over, ExactSeats((0,)))


async def test_best_seats_are_side_by_side_and_split_only_when_they_must_be(context: ServiceContext) -> None:
    event_id = await open_event(context.database, rows=[4, 4])

    first = await hold(context, event_id, BestAvailable(3))
    second = await hold(context, event_id, BestAvailable(4))
    third = await hold(context, event_id, BestAvailable(1))

    places = [
        [claim.place for claim in await claims_of_orders(context.database, [order.id])]
        for order in (first, second, third)
    ]
    assert places[0] in ([0, 1, 2], [1, 2, 3])
    assert places[1] == [4, 5, 6, 7]
    assert sorted(places[0] + places[2]) == [0, 1, 2, 3]
    with pytest.raises(NotEnoughSeats):
        await hold(context, event_id, BestAvailable(1), BOB)


async def test_orphan_rule_refuses_a_single_seat_when_it_can_be_avoided(context: ServiceContext) -> None:
    event_id = await open_event(context.database, rows=[6], orphan_rule=True)

    with pytest.raises(OrphanSeat):
        await hold(context, event_id, ExactSeats((1, 2)))

    assert await taken(context, event_id) == []
    order = await hold(context, event_id, ExactSeats((0, 1)))
    assert order.state == "RESERVED"


async def test_same_order_when_the_key_and_the_input_are_the_same(context: ServiceContext) -> None:
    event_id = await open_event(context.database, rows=[6])

    first = await hold(context, event_id, ExactSeats((1, 2)), key="k1")
    again = await hold(context, event_id, ExactSeats((2, 1)), key="k1")

    assert again.id == first.id
    assert await taken(context, event_id) == [1, 2]
    with pytest.raises(IdempotencyMismatch):
        await hold(context, event_id, ExactSeats((3, 4)), key="k1")
    assert await taken(context, event_id) == [1, 2]
    assert (await context.seats.snapshot(event_id)).places == b"AHHAAA"


async def test_one_order_when_ten_requests_share_a_key_at_once(context: ServiceContext) -> None:
    event_id = await open_event(context.database, standing=50)
    selection = GeneralAdmission(0, 2)

    orders = await asyncio.gather(*(hold(context, event_id, selection, key="k") for _ in range(10)))

    assert len({order.id for order in orders}) == 1
    assert len(await taken(context, event_id)) == 2
    assert (await context.seats.snapshot(event_id)).places.count(b"H") == 2


async def test_same_order_when_redis_lost_everything_between_two_tries(
    context: ServiceContext, redis_url: str
) -> None:
    event_id = await open_event(context.database, rows=[6])
    first = await hold(context, event_id, BestAvailable(2), key="k1")
    await context.seats._command("FLUSHALL")

    again = await hold(context, event_id, BestAvailable(2), key="k1")

    assert again.id == first.id
    assert len(await taken(context, event_id)) == 2


async def test_key_is_free_again_when_a_day_has_passed(context: ServiceContext, clock: ManualClock) -> None:
    event_id = await open_event(context.database, rows=[6])
    first = await hold(context, event_id, ExactSeats((0, 1)), key="k1")

    clock.advance(hours=25)
    second = await hold(context, event_id, ExactSeats((3, 4)), key="k1")

    assert second.id != first.id
    assert second.state == "RESERVED"


async def test_seats_can_be_had_at_the_deadline_when_nobody_swept(
    context: ServiceContext, clock: ManualClock
) -> None:
    event_id = await open_event(context.database, rows=[3])
    first = await hold(context, event_id, ExactSeats((0, 1, 2)))

    clock.advance(seconds=479)
    with pytest.raises(SeatsGone):
        await hold(context, event_id, ExactSeats((1,)), BOB)
    clock.advance(seconds=1.5)
    second = await hold(context, event_id, ExactSeats((1,)), BOB)

    assert await taken(context, event_id) == [1]
    assert second.user_id == BOB.user_id
    assert await context.database.fetchval("SELECT state FROM orders WHERE id = $1", first.id) == "EXPIRED"


async def test_hold_is_kept_when_redis_is_emptied_before_the_deadline(context: ServiceContext) -> None:
    event_id = await open_event(context.database, rows=[3])
    await hold(context, event_id, ExactSeats((0, 1)))
    await context.seats._command("FLUSHALL")

    with pytest.raises(SeatsGone):
        await hold(context, event_id, ExactSeats((0,)), BOB)

    assert (await context.seats.snapshot(event_id)).places == b"HHA"


async def test_postgresql_decides_when_redis_says_free(context: ServiceContext) -> None:
    event_id = await open_event(context.database, rows=[3])
    await hold(context, event_id, ExactSeats((0, 1)))
    await context.seats._command("SET", event_keys(event_id).places, b"AAA")
    await context.seats._command("DEL", event_keys(event_id).claims)

    with pytest.raises(SeatsGone) as refusal:
        await hold(context, event_id, ExactSeats((1, 2)), BOB)

    assert refusal.value.places == (1,)
    assert await taken(context, event_id) == [0, 1]
    assert (await context.seats.snapshot(event_id)).places == b"AHA"


async def test_other_places_are_found_when_redis_says_taken_ones_are_free(context: ServiceContext) -> None:
    event_id = await open_event(context.database, rows=[6], standing=4)
    await hold(context, event_id, ExactSeats((2, 3)))
    await hold(context, event_id, GeneralAdmission(1, 2))
    await context.seats._command("SET", event_keys(event_id).places, b"A" * 10)
    await context.seats._command("DEL", event_keys(event_id).claims)

    await hold(context, event_id, GeneralAdmission(1, 2), BOB)
    await hold(context, event_id, BestAvailable(2), BOB)

    assert len(await taken(context, event_id)) == 8
    with pytest.raises(NotEnoughSeats):
        await hold(context, event_id, GeneralAdmission(1, 1), BOB)


async def test_alternatives_are_free_when_answered_though_the_map_at_hand_is_older(
    context: ServiceContext,
) -> None:
    event_id = await open_event(context.database, rows=[6])
    await hold(context, event_id, ExactSeats((0, 1)))
    outdated = await context.seats.snapshot(event_id)
    await hold(context, event_id, ExactSeats((2, 3)), key="other")
    context.seats._snapshots.put(event_id, outdated)

    with pytest.raises(SeatsGone) as caught:
        await hold(context, event_id, ExactSeats((0, 1)), key="late")

    assert caught.value.alternatives == (4, 5)
