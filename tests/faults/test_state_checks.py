"""The checker on hand-written states: it finds every disagreement between parts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from faults.state_checks import over_time, unsettled
from faults.system_state import Claim, Intent, Order, SeatMap, SystemState, Transition
from kit.ids import encode_uuid

NOW = datetime(2027, 1, 1, tzinfo=UTC)
EVENT, ORDER = UUID(int=7), UUID(int=8)
BOOKED = Order(ORDER, EVENT, "BOOKED", "USD", 10_500, NOW - timedelta(hours=1), (0, 1), 10_500, (), 0, "pi_1")
PAID = Intent("pi_1", "succeeded", str(ORDER), "usd", 10_500, 10_500, 0, ())


def settled() -> SystemState:
    """A booking that is captured, mirrored in Redis and indexed."""
    return SystemState(
        now=NOW,
        orders={ORDER: BOOKED},
        claims=[Claim(EVENT, place, ORDER, "BOOKED", place) for place in (0, 1)],
        events={EVENT: ("Night", "PUBLISHED")},
        intents=[PAID],
        maps={EVENT: SeatMap(b"BBAA", 9, {0: str(ORDER), 1: str(ORDER)})},
        documents={f"evt_{encode_uuid(EVENT)}": "Night"},
    )


def test_no_violation_is_found_when_all_parts_agree() -> None:
    assert unsettled(settled()) == []


def with_order(system: SystemState, **changes: object) -> None:
    system.orders[ORDER] = replace(BOOKED, **changes)  # type: ignore[arg-type]


def claimed_twice(system: SystemState) -> None:
    system.claims.append(Claim(EVENT, 1, UUID(int=9), "BOOKED", 9))


def short_of_a_place(system: SystemState) -> None:
    with_order(system, live_places=(0,), live_minor=5_250)
    system.intents = [replace(PAID, refunded=5_250)]


def over_with_places(system: SystemState) -> None:
    with_order(system, state="EXPIRED")
    system.intents = [replace(PAID, captured=0, status="canceled")]


def only_held(system: SystemState) -> None:
    with_order(system, held_places=(0,))


def past_its_deadline(system: SystemState) -> None:
    with_order(system, state="RESERVED")
    system.intents = []


def unpaid(system: SystemState) -> None:
    system.intents = []


def captured_for_nothing(system: SystemState) -> None:
    with_order(system, state="EXPIRED", live_places=(), live_minor=0)


def on_hold_for_nothing(system: SystemState) -> None:
    with_order(system, state="CANCELLED", live_places=(), live_minor=0)
    system.intents = [replace(PAID, captured=0, status="requires_capture")]


def still_chargeable(system: SystemState) -> None:
    with_order(system, state="CANCELLED", live_places=(), live_minor=0)
    system.intents = [replace(PAID, captured=0, status="requires_payment_method")]


def paid_twice(system: SystemState) -> None:
    system.intents.append(replace(PAID, id="pi_2", captured=0, status="canceled"))


def refunded_twice(system: SystemState) -> None:
    with_order(system, refunded_tickets_minor=5_250, live_minor=5_250)
    system.intents = [replace(PAID, refunded=5_250, refund_keys=("refund:1", "refund:1"))]


def of_an_unknown_order(system: SystemState) -> None:
    system.intents.append(replace(PAID, id="pi_2", order_id=str(UUID(int=99))))


def shown_free(system: SystemState) -> None:
    system.maps[EVENT] = SeatMap(b"ABAA", 9, {1: str(ORDER)})


def owned_by_another(system: SystemState) -> None:
    system.maps[EVENT] = SeatMap(b"BBAA", 9, {0: str(ORDER), 1: str(UUID(int=9))})


def indexed_by_an_old_name(system: SystemState) -> None:
    system.documents = {f"evt_{encode_uuid(EVENT)}": "Day"}


def indexed_though_gone(system: SystemState) -> None:
    system.events[EVENT] = ("Night", "CANCELLED")


def one_request_two_orders(system: SystemState) -> None:
    with_order(system, request="ann k")
    system.orders[UUID(int=9)] = replace(
        BOOKED,
        id=UUID(int=9),
        state="EXPIRED",
        live_places=(),
        live_minor=0,
        intent_id=None,
        request="ann k",
    )


def more_than_a_person_may_have(system: SystemState) -> None:
    with_order(system, person="ann")
    system.person_limits[EVENT] = 1


def task_left(system: SystemState) -> None:
    system.tasks = [("mirror_order", str(ORDER), NOW, "")]


DAMAGES: list[tuple[Callable[[SystemState], None], int]] = [
    (claimed_twice, 1),
    (short_of_a_place, 2),
    (over_with_places, 2),
    (only_held, 2),
    (past_its_deadline, 2),
    (unpaid, 3),
    (captured_for_nothing, 3),
    (on_hold_for_nothing, 3),
    (still_chargeable, 3),
    (of_an_unknown_order, 3),
    (paid_twice, 5),
    (refunded_twice, 5),
    (shown_free, 7),
    (owned_by_another, 7),
    (indexed_by_an_old_name, 9),
    (indexed_though_gone, 9),
    (one_request_two_orders, 11),
    (more_than_a_person_may_have, 13),
    (task_left, 0),
]


@pytest.mark.parametrize(("damage", "invariant"), DAMAGES)
def test_violation_is_found_when_one_part_disagrees(
    damage: Callable[[SystemState], None], invariant: int
) -> None:
    system = settled()
    damage(system)

    assert invariant in {one.invariant for one in unsettled(system)}


def claim(old: str | None, new: str, key: str = "1") -> Transition:
    return Transition("claim", key, EVENT, 0, old, new)


def order(old: str | None, new: str) -> Transition:
    return Transition("order", str(ORDER), None, None, old, new)


CAPTURE = Transition("task", str(ORDER), None, None, None, "capture_payment")
RECORDED: list[tuple[list[Transition], list[int]]] = [
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


@pytest.mark.parametrize(("transitions", "invariants"), RECORDED)
def test_violation_is_found_in_transitions_when_the_final_state_is_correct(
    transitions: list[Transition], invariants: list[int]
) -> None:
    system = settled()
    system.transitions = transitions

    assert [one.invariant for one in over_time(system)] == invariants


def test_secret_is_reported_when_a_table_contains_it() -> None:
    system = settled()
    system.leaks = ["table payments"]

    assert [one.invariant for one in over_time(system)] == [12]
