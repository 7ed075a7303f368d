"""Checks of the invariants on a history: pure functions of the calls and the final states of orders."""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise

from faults.history import Call, Outcome
from faults.violations import DEFECT, Violation

# Buyers and server share one clock; this covers the rounding of expiresAt.
_SKEW_SECONDS = 0.05
# Operations that may end a booking; a capture that the bank refuses may end it too.
_ENDS_BOOKING = ("refund", "refund by hand")
_ENDS_HOLD = ("release", "refund", "refund by hand")
_REFUSED_CARD = "pm_card_captureFails"


@dataclass(frozen=True, slots=True)
class Counts:
    """The figures of a report."""

    calls: int
    unknown: int
    bookings: int
    lost: int
    doubled: int


def check(calls: Sequence[Call], states: Mapping[str, str], excused: Set[str]) -> list[Violation]:
    """All violations that buyers can see. `states` are the final states of orders by public id.

    `excused` are the orders of cancelled events.
    """
    return [
        *lost_bookings(calls, states, excused),
        *double_holds(calls, states, excused),
        *shared_tickets(calls),
        *key_conflicts(calls),
        *wrong_counts(calls),
        *defects(calls),
        *forged_webhooks(calls),
    ]


def acknowledged(calls: Sequence[Call]) -> dict[str, float]:
    """Orders that a response called booked, with the time of the first such response."""
    found: dict[str, float] = {}
    for call in calls:
        if call.outcome is Outcome.OK and call.status == "BOOKED" and call.order is not None:
            found.setdefault(call.order, call.ended)
    return found


def lost_bookings(calls: Sequence[Call], states: Mapping[str, str], excused: Set[str]) -> list[Violation]:
    """Invariant 4: a booking was acknowledged and is gone, without a request to end it."""
    asked = {call.order for call in calls if call.operation in _ENDS_BOOKING}
    refused = {call.order for call in calls if call.detail.get("card") == _REFUSED_CARD}
    found = [
        Violation(4, f"hold {call.order} was acknowledged and is gone")
        for call in calls
        if call.operation == "reserve" and call.outcome is Outcome.OK and call.order not in states
    ]
    for order in acknowledged(calls):
        state = states.get(order, "gone")
        fine = state == "REFUNDED" and (order in asked or order in refused or order in excused)
        if state != "BOOKED" and not fine:
            found.append(Violation(4, f"order {order} was booked and is {state}"))
    return found


@dataclass(frozen=True, slots=True)
class Span:
    """A time during which an order certainly had its places."""

    order: str
    start: float
    end: float


def spans(
    calls: Sequence[Call], states: Mapping[str, str], excused: Set[str] = frozenset()
) -> dict[str, list[Span]]:
    """The spans in which orders certainly had each place: from the response to the first possible end."""
    booked = acknowledged(calls)
    ended: dict[str, float] = {}
    for call in calls:
        if call.operation in _ENDS_HOLD and call.order is not None:
            ended[call.order] = min(call.started, ended.get(call.order, call.started))
    for order, shown in _seen_before_cancelled(calls, states).items():
        ended[order] = min(shown, ended.get(order, shown))
    found: dict[str, list[Span]] = defaultdict(list)
    begun: dict[str, Call] = {}
    for call in calls:
        if call.operation == "reserve" and call.outcome is Outcome.OK and call.order is not None:
            begun.setdefault(call.order, call)
    for order, call in begun.items():
        if order in excused or call.expires is None:
            continue
        expires = call.expires - _SKEW_SECONDS
        if order in booked and booked[order] > expires:
            expires = booked[order]
        end = ended.get(order, float("inf") if order in booked else expires)
        if order not in booked:
            end = min(end, expires)
        for place in call.places:
            if end > call.ended:
                found[place].append(Span(order, call.ended, end))
    return found


def _seen_before_cancelled(calls: Sequence[Call], states: Mapping[str, str]) -> dict[str, float]:
    """For cancelled orders, the time of the last response in which they were alive.

    An intent with a wrong amount cancels its order. A buyer who disconnects may not see that; then the
    final state of the order tells it.
    """
    alive: dict[str, float] = {}
    cancelled: dict[str, float] = {}
    for call in sorted(calls, key=lambda call: call.ended):
        if call.order is None or call.outcome is not Outcome.OK:
            continue
        if call.status == "CANCELLED":
            cancelled.setdefault(call.order, alive.get(call.order, call.started))
        else:
            alive[call.order] = call.started
    for order, shown in alive.items():
        if states.get(order) == "CANCELLED":
            cancelled.setdefault(order, shown)
    return cancelled


def double_holds(calls: Sequence[Call], states: Mapping[str, str], excused: Set[str]) -> list[Violation]:
    """Invariant 1, from responses alone: two orders certainly had one place at one time."""
    found = []
    refused = {call.order for call in calls if call.detail.get("card") == _REFUSED_CARD and call.order}
    for place, of_place in spans(calls, states, excused | refused).items():
        ordered = sorted(of_place, key=lambda span: span.start)
        for earlier, later in pairwise(ordered):
            if later.start < earlier.end and later.order != earlier.order:
                found.append(Violation(1, f"{earlier.order} and {later.order} both had {place}"))
    return found


def shared_tickets(calls: Sequence[Call]) -> list[Violation]:
    """A ticket's id stood in two orders, which mixes two buyers' tickets in every cache of a client."""
    orders: dict[str, set[str]] = defaultdict(set)
    for call in calls:
        for ticket in call.tickets:
            orders[ticket].add(str(call.order))
    return [
        Violation(DEFECT, f"ticket {ticket} is in {' and '.join(sorted(found))}")
        for ticket, found in orders.items()
        if len(found) > 1
    ]


def key_conflicts(calls: Sequence[Call]) -> list[Violation]:
    """Invariant 11: one key makes one order with the same tickets."""
    found: dict[tuple[str, str], set[tuple[str | None, tuple[str, ...]]]] = defaultdict(set)
    for call in calls:
        if call.operation == "reserve" and call.outcome is Outcome.OK and call.key is not None:
            found[call.actor, call.key].add((call.order, tuple(sorted(call.tickets))))
    return [
        Violation(11, f"key {key} of {actor} led to {sorted(map(str, orders))}")
        for (actor, key), orders in found.items()
        if len(orders) > 1
    ]


def wrong_counts(calls: Sequence[Call]) -> list[Violation]:
    """Invariant 2: an order has the requested number of tickets."""
    return [
        Violation(2, f"order {call.order} has {len(call.tickets)} tickets instead of {call.detail['wanted']}")
        for call in calls
        if call.operation == "reserve"
        and call.outcome is Outcome.OK
        and call.detail.get("wanted") not in (None, len(call.tickets))
    ]


def defects(calls: Sequence[Call]) -> list[Violation]:
    """Responses that are wrong even while a part fails."""
    return [
        Violation(DEFECT, f"{call.operation} of {call.order or call.key} answered {call.code}")
        for call in calls
        if call.code in ("INTERNAL_SERVER_ERROR", "None", "IDEMPOTENCY_MISMATCH")
    ]


def forged_webhooks(calls: Sequence[Call]) -> list[Violation]:
    """A webhook without Stripe's signature was accepted."""
    return [
        Violation(5, f"a forged webhook ({call.detail.get('forgery')}) was accepted")
        for call in calls
        if call.operation == "forged webhook" and call.outcome is Outcome.OK
    ]


def count(calls: Sequence[Call], violations: Sequence[Violation]) -> Counts:
    """The figures of a report."""
    return Counts(
        len(calls),
        sum(call.outcome is Outcome.UNKNOWN for call in calls),
        len(acknowledged(calls)),
        sum(one.invariant == 4 for one in violations),
        sum(one.invariant == 1 for one in violations),
    )
