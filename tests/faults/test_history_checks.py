"""The checker on hand-written histories: it finds each violation and nothing else."""

from collections.abc import Sequence

import pytest

from faults.history import Call, Outcome
from faults.history_checks import check, count, double_holds
from faults.violations import Violation
from faults.waiting_room import check_waiting_room

BOOKED = {"ord_a": "BOOKED", "ord_b": "BOOKED"}


def reserve(order: str, at: float, *places: str, key: str = "", actor: str = "ann", until: float = 5) -> Call:
    """An acknowledged hold, requested at `at` and answered 0.1 s later; it expires after `until` seconds."""
    return Call(
        actor,
        "reserve",
        at,
        key or order,
        order,
        at + 0.1,
        Outcome.OK,
        None,
        "RESERVED",
        tuple(f"{order}:{place}" for place in places),
        places,
        at + until,
        {"wanted": len(places)},
    )


def paid(order: str, at: float, **detail: str) -> Call:
    return Call("ann", "pay", at, None, order, at + 0.1, Outcome.OK, None, "BOOKED", detail=dict(detail))


def asked(operation: str, order: str, at: float, outcome: Outcome = Outcome.UNKNOWN) -> Call:
    return Call("ann", operation, at, None, order, at + 0.1, outcome)


CORRECT: dict[str, tuple[Sequence[Call], dict[str, str]]] = {
    "booked": ([reserve("ord_a", 0, "t1"), paid("ord_a", 1)], BOOKED),
    "sold again after it expired": (
        [reserve("ord_a", 0, "t1"), reserve("ord_b", 6, "t1"), paid("ord_b", 7)],
        {"ord_a": "EXPIRED", "ord_b": "BOOKED"},
    ),
    "sold again after its release": (
        [reserve("ord_a", 0, "t1"), asked("release", "ord_a", 1), reserve("ord_b", 2, "t1")],
        {"ord_a": "CANCELLED", "ord_b": "EXPIRED"},
    ),
    "sold again during a refund": (
        [
            reserve("ord_a", 0, "t1"),
            paid("ord_a", 1),
            asked("refund", "ord_a", 2),
            reserve("ord_b", 2.05, "t1"),
        ],
        {"ord_a": "REFUNDED", "ord_b": "EXPIRED"},
    ),
    "refunded with an unknown outcome": (
        [reserve("ord_a", 0, "t1"), paid("ord_a", 1), asked("refund", "ord_a", 2)],
        {"ord_a": "REFUNDED"},
    ),
    "refunded after a refused capture": (
        [reserve("ord_a", 0, "t1"), paid("ord_a", 1, card="pm_card_captureFails")],
        {"ord_a": "REFUNDED"},
    ),
    "retried with one key": (
        [reserve("ord_a", 0, "t1", key="k"), reserve("ord_a", 1, "t1", key="k")],
        {"ord_a": "EXPIRED"},
    ),
    "refused": (
        [Call("ann", "reserve", 0, "k", None, 0.1, Outcome.FAILED, "SEATS_UNAVAILABLE")],
        {},
    ),
}


@pytest.mark.parametrize("name", CORRECT)
def test_no_violation_is_found_when_the_history_is_correct(name: str) -> None:
    calls, states = CORRECT[name]

    assert check(calls, states, set()) == []


WRONG: dict[str, tuple[Sequence[Call], dict[str, str], Violation]] = {
    "a booking expired": (
        [reserve("ord_a", 0, "t1"), paid("ord_a", 1)],
        {"ord_a": "EXPIRED"},
        Violation(4, "order ord_a was booked and is EXPIRED"),
    ),
    "a booking was refunded without a request": (
        [reserve("ord_a", 0, "t1"), paid("ord_a", 1)],
        {"ord_a": "REFUNDED"},
        Violation(4, "order ord_a was booked and is REFUNDED"),
    ),
    "a hold vanished": (
        [reserve("ord_a", 0, "t1")],
        {},
        Violation(4, "hold ord_a was acknowledged and is gone"),
    ),
    "two hold one seat": (
        [reserve("ord_a", 0, "t1"), reserve("ord_b", 1, "t1")],
        {"ord_a": "EXPIRED", "ord_b": "EXPIRED"},
        Violation(1, "ord_a and ord_b both had t1"),
    ),
    "two booked one seat": (
        [reserve("ord_a", 0, "t1"), paid("ord_a", 1), reserve("ord_b", 60, "t1"), paid("ord_b", 61)],
        BOOKED,
        Violation(1, "ord_a and ord_b both had t1"),
    ),
    "one key made two orders": (
        [reserve("ord_a", 0, "t1", key="k"), reserve("ord_b", 1, "t2", key="k")],
        {"ord_a": "EXPIRED", "ord_b": "EXPIRED"},
        Violation(11, "key k of ann led to [\"('ord_a', ('ord_a:t1',))\", \"('ord_b', ('ord_b:t2',))\"]"),
    ),
    "a masked error": (
        [Call("ann", "pay", 0, None, "ord_a", 0.1, Outcome.FAILED, "INTERNAL_SERVER_ERROR")],
        {},
        Violation(0, "pay of ord_a answered INTERNAL_SERVER_ERROR"),
    ),
    "a forged webhook": (
        [Call("forger", "forged webhook", 0, outcome=Outcome.OK, detail={"forgery": "no signature"})],
        {},
        Violation(5, "a forged webhook (no signature) was accepted"),
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_violation_is_found_when_the_history_is_wrong(name: str) -> None:
    calls, states, violation = WRONG[name]

    assert check(calls, states, set()) == [violation]


def test_missing_tickets_are_found_when_an_order_has_fewer_than_wanted() -> None:
    call = reserve("ord_a", 0, "t1")
    call.detail["wanted"] = 2

    found = check([call], {"ord_a": "EXPIRED"}, set())

    assert [one.invariant for one in found] == [2]


def test_violation_is_found_when_a_place_that_is_sold_again_keeps_its_ticket() -> None:
    calls = [reserve("ord_a", 0, "t1"), reserve("ord_b", 6, "t1")]
    calls[1].tickets = calls[0].tickets

    found = check(calls, {"ord_a": "EXPIRED", "ord_b": "EXPIRED"}, set())

    assert found == [Violation(0, "ticket ord_a:t1 is in ord_a and ord_b")]


def test_orders_of_a_cancelled_event_are_excused_when_they_end() -> None:
    calls = [reserve("ord_a", 0, "t1"), paid("ord_a", 1), reserve("ord_b", 2, "t1")]
    states = {"ord_a": "REFUNDED", "ord_b": "CANCELLED"}

    assert check(calls, states, {"ord_a", "ord_b"}) == []
    assert double_holds(calls, {}, set()) != []


def test_hold_ends_at_its_last_response_when_only_its_final_state_is_cancelled() -> None:
    calls = [reserve("ord_a", 0, "t1"), reserve("ord_b", 1, "t1")]

    assert check(calls, {"ord_a": "CANCELLED", "ord_b": "EXPIRED"}, set()) == []


def test_figures_are_counted_from_the_history() -> None:
    calls = [reserve("ord_a", 0, "t1"), paid("ord_a", 1), asked("release", "ord_a", 2)]
    violations = check(calls, {"ord_a": "EXPIRED"}, set())

    counts = count(calls, violations)

    assert (counts.calls, counts.unknown, counts.bookings, counts.lost, counts.doubled) == (3, 1, 1, 1, 0)


def seen(actor: str, at: float, state: str, position: int | None = None) -> Call:
    """A poll of one's queue entry, answered at once."""
    entry = {"state": state, "position": position}
    return Call(actor, "entry", at, ended=at, outcome=Outcome.OK, detail={"entry": entry})


def shopping(actor: str, start: float, end: float) -> list[Call]:
    held = Call(actor, "reserve", end, None, "ord", end, Outcome.OK)
    return [seen(actor, start, "ADMITTED"), held]


def test_no_violation_is_found_when_positions_improve_and_the_cap_holds() -> None:
    calls = [seen("waiting-1", 0, "WAITING", 3), seen("waiting-1", 1, "WAITING", 1)]
    calls += [*shopping("waiting-2", 0, 2), *shopping("waiting-3", 3, 4)]

    assert check_waiting_room(calls, max_active=1) == []


def test_violation_is_found_when_a_position_gets_worse() -> None:
    calls = [seen("waiting-1", 0, "WAITING", 1), seen("waiting-1", 1, "WAITING", 3)]

    assert check_waiting_room(calls) == [Violation(10, "waiting-1 had position 1, and then 3")]


def test_violation_is_found_when_admissions_exceed_the_cap() -> None:
    calls = [*shopping("waiting-1", 0, 2), *shopping("waiting-2", 1, 3)]

    assert check_waiting_room(calls, max_active=1) == [
        Violation(10, "2 admissions were in use at 00:00:01, 1 are allowed")
    ]
