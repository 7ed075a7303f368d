"""The checker on states written by hand: every disagreement between parts is seen."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from faults.state_checks import over_time, unsettled
from faults.world import Claim, Intent, Order, SeatMap, Transition, World
from kit.ids import encode_uuid

NOW = datetime(2027, 1, 1, tzinfo=UTC)
EVENT, ORDER = UUID(int=7), UUID(int=8)
BOOKED = Order(ORDER, EVENT, "BOOKED", "USD", 10_500, NOW - timedelta(hours=1), (0, 1), 10_500, (), 0, "pi_1")
PAID = Intent("pi_1", "succeeded", str(ORDER), "usd", 10_500, 10_500, 0, ())


def settled() -> World:
    """One booking, captured, shown and indexed."""
    return World(
        now=NOW,
        orders={ORDER: BOOKED},
        claims=[Claim(EVENT, place, ORDER, "BOOKED", place) for place in (0, 1)],
        events={EVENT: ("Night", "PUBLISHED")},
        intents=[PAID],
        maps={EVENT: SeatMap(b"BBAA", 9, {0: str(ORDER), 1: str(ORDER)})},
        documents={f"evt_{encode_uuid(EVENT)}": "Night"},
    )


def test_nothing_is_said_when_every_part_agrees() -> None:
    assert unsettled(settled()) == []


def with_order(world: World, **changes: object) -> None:
    world.orders[ORDER] = replace(BOOKED, **changes)  # type: ignore[arg-type]


def claimed_twice(world: World) -> None:
    world.claims.append(Claim(EVENT, 1, UUID(int=9), "BOOKED", 9))


def short_of_a_place(world: World) -> None:
    with_order(world, live_places=(0,), live_minor=5_250)
    world.intents = [replace(PAID, refunded=5_250)]


def over_with_places(world: World) -> None:
    with_order(world, state="EXPIRED")
    world.intents = [replace(PAID, captured=0, status="canceled")]


def only_held(world: World) -> None:
    with_order(world, held_places=(0,))


def past_its_deadline(world: World) -> None:
    with_order(world, state="RESERVED")
    world.intents = []


def unpaid(world: World) -> None:
    world.intents = []


def captured_for_nothing(world: World) -> None:
    with_order(world, state="EXPIRED", live_places=(), live_minor=0)


def on_hold_for_nothing(world: World) -> None:
    with_order(world, state="CANCELLED", live_places=(), live_minor=0)
    world.intents = [replace(PAID, captured=0, status="requires_capture")]


def still_chargeable(world: World) -> None:
    with_order(world, state="CANCELLED", live_places=(), live_minor=0)
    world.intents = [replace(PAID, captured=0, status="requires_payment_method")]


def paid_twice(world: World) -> None:
    world.intents.append(replace(PAID, id="pi_2", captured=0, status="canceled"))


def refunded_twice(world: World) -> None:
    with_order(world, refunds_minor=5_250, live_minor=5_250)
    world.intents = [replace(PAID, refunded=5_250, refund_keys=("refund:1", "refund:1"))]


def of_nobody(world: World) -> None:
    world.intents.append(replace(PAID, id="pi_2", order_id=str(UUID(int=99))))


def shown_free(world: World) -> None:
    world.maps[EVENT] = SeatMap(b"ABAA", 9, {1: str(ORDER)})


def owned_by_another(world: World) -> None:
    world.maps[EVENT] = SeatMap(b"BBAA", 9, {0: str(ORDER), 1: str(UUID(int=9))})


def indexed_by_an_old_name(world: World) -> None:
    world.documents = {f"evt_{encode_uuid(EVENT)}": "Day"}


def indexed_though_gone(world: World) -> None:
    world.events[EVENT] = ("Night", "CANCELLED")


def asked_once_and_made_twice(world: World) -> None:
    with_order(world, request="ann k")
    world.orders[UUID(int=9)] = replace(
        BOOKED,
        id=UUID(int=9),
        state="EXPIRED",
        live_places=(),
        live_minor=0,
        intent_id=None,
        request="ann k",
    )


def not_done(world: World) -> None:
    world.tasks = [("mirror_order", str(ORDER), NOW, "")]


DAMAGES: list[tuple[Callable[[World], None], int]] = [
    (claimed_twice, 1),
    (short_of_a_place, 2),
    (over_with_places, 2),
    (only_held, 2),
    (past_its_deadline, 2),
    (unpaid, 3),
    (captured_for_nothing, 3),
    (on_hold_for_nothing, 3),
    (still_chargeable, 3),
    (of_nobody, 3),
    (paid_twice, 5),
    (refunded_twice, 5),
    (shown_free, 7),
    (owned_by_another, 7),
    (indexed_by_an_old_name, 9),
    (indexed_though_gone, 9),
    (asked_once_and_made_twice, 11),
    (not_done, 0),
]


@pytest.mark.parametrize(("damage", "invariant"), DAMAGES)
def test_it_is_said_when_one_part_disagrees(damage: Callable[[World], None], invariant: int) -> None:
    world = settled()
    damage(world)

    assert invariant in {one.invariant for one in unsettled(world)}


def claim(old: str | None, new: str, key: str = "1") -> Transition:
    return Transition("claim", key, EVENT, 0, old, new)


def order(old: str | None, new: str) -> Transition:
    return Transition("order", str(ORDER), None, None, old, new)


CAPTURE = Transition("task", str(ORDER), None, None, None, "capture_payment")
SEEN: list[tuple[list[Transition], list[int]]] = [
    ([order(None, "RESERVED"), order("RESERVED", "PAYING"), order("PAYING", "BOOKED")], []),
    (
        [order("BOOKED", "REFUNDED"), claim(None, "HELD"), claim("HELD", "ENDED"), claim(None, "HELD", "2")],
        [],
    ),
    ([order("BOOKED", "CANCELLED")], [6]),
    ([order("EXPIRED", "BOOKED")], [6]),
    ([claim("ENDED", "HELD")], [6]),
    ([claim(None, "HELD"), claim(None, "HELD", "2")], [1]),
    ([CAPTURE], []),
    ([CAPTURE, CAPTURE], [5]),
]


@pytest.mark.parametrize(("transitions", "invariants"), SEEN)
def test_the_past_is_judged_when_the_end_looks_well(
    transitions: list[Transition], invariants: list[int]
) -> None:
    world = settled()
    world.transitions = transitions

    assert [one.invariant for one in over_time(world)] == invariants


def test_secret_is_reported_when_it_stands_in_a_table() -> None:
    world = settled()
    world.leaks = ["table payments"]

    assert [one.invariant for one in over_time(world)] == [12]
