"""The invariants as the buyers saw them: pure functions of a history and of how the orders ended."""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise

from faults.history import Call, Outcome
from faults.verdicts import OUR_FAULT, Violation

# Clocks of buyer and server are the same machine's; this is for the rounding of expiresAt.
_SKEW_SECONDS = 0.05
# Refunds and cancellations take a booking away rightly, and so does a capture that the bank refuses.
_TAKES_BOOKING = ("refund",)
_TAKES_HOLD = ("release", "refund")
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
    """Everything that a buyer could complain of. `states`: how each order ended, by its public id.

    `excused` are orders whose event was cancelled.
    """
    return [
        *lost_bookings(calls, states, excused),
        *double_holds(calls, states, excused),
        *split_keys(calls),
        *wrong_counts(calls),
        *our_faults(calls),
        *forged_webhooks(calls),
    ]


def acknowledged(calls: Sequence[Call]) -> dict[str, float]:
    """Orders that somebody was told are booked, and when first."""
    found: dict[str, float] = {}
    for call in calls:
        if call.outcome is Outcome.OK and call.status == "BOOKED" and call.order is not None:
            found.setdefault(call.order, call.ended)
    return found


def lost_bookings(calls: Sequence[Call], states: Mapping[str, str], excused: Set[str]) -> list[Violation]:
    """Invariant 4: told it was booked, and it is not, though nobody asked for that."""
    asked = {call.order for call in calls if call.operation in _TAKES_BOOKING}
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
    """A time in which an order certainly had its tickets."""

    order: str
    start: float
    end: float


def spans(
    calls: Sequence[Call], states: Mapping[str, str], excused: Set[str] = frozenset()
) -> dict[str, list[Span]]:
    """By ticket, when which orders certainly had it: from the answer until anything may have ended it."""
    booked = acknowledged(calls)
    ended: dict[str, float] = {}
    for call in calls:
        if call.operation in _TAKES_HOLD and call.order is not None:
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
        lapses = call.expires - _SKEW_SECONDS
        if order in booked and booked[order] > lapses:
            lapses = booked[order]
        end = ended.get(order, float("inf") if order in booked else lapses)
        if order not in booked:
            end = min(end, lapses)
        for ticket in call.tickets:
            if end > call.ended:
                found[ticket].append(Span(order, call.ended, end))
    return found


def _seen_before_cancelled(calls: Sequence[Call], states: Mapping[str, str]) -> dict[str, float]:
    """Orders that were cancelled, unasked where an intent does not fit: when they were last seen to live.

    A buyer who hung up may never be shown it; then how the order ended in the books says so.
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
    """Invariant 1, without believing any part: two orders certainly had one ticket at one time."""
    found = []
    refused = {call.order for call in calls if call.detail.get("card") == _REFUSED_CARD and call.order}
    for ticket, of_ticket in spans(calls, states, excused | refused).items():
        ordered = sorted(of_ticket, key=lambda span: span.start)
        for earlier, later in pairwise(ordered):
            if later.start < earlier.end and later.order != earlier.order:
                found.append(Violation(1, f"{earlier.order} and {later.order} both had {ticket}"))
    return found


def split_keys(calls: Sequence[Call]) -> list[Violation]:
    """Invariant 11: one key, one order, the same tickets."""
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
    """Invariant 2: as many tickets as were asked for."""
    return [
        Violation(2, f"order {call.order} has {len(call.tickets)} tickets instead of {call.detail['wanted']}")
        for call in calls
        if call.operation == "reserve"
        and call.outcome is Outcome.OK
        and call.detail.get("wanted") not in (None, len(call.tickets))
    ]


def our_faults(calls: Sequence[Call]) -> list[Violation]:
    """Answers that no fault of a part excuses."""
    return [
        Violation(OUR_FAULT, f"{call.operation} of {call.order or call.key} answered {call.code}")
        for call in calls
        if call.code in ("INTERNAL_SERVER_ERROR", "None", "IDEMPOTENCY_MISMATCH")
    ]


def forged_webhooks(calls: Sequence[Call]) -> list[Violation]:
    """A webhook that Stripe did not sign was taken for Stripe's."""
    return [
        Violation(5, f"a forged webhook ({call.detail.get('forgery')}) was accepted")
        for call in calls
        if call.operation == "forged webhook" and call.outcome is Outcome.OK
    ]


def count(calls: Sequence[Call], violations: Sequence[Violation]) -> Counts:
    """The figures."""
    return Counts(
        len(calls),
        sum(call.outcome is Outcome.UNKNOWN for call in calls),
        len(acknowledged(calls)),
        sum(one.invariant == 4 for one in violations),
        sum(one.invariant == 1 for one in violations),
    )
