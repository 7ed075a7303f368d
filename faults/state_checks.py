"""Checks of the invariants on a settled system: pure functions of a SystemState."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from uuid import UUID

from domain.outbox import Topic
from domain.seat_status import FREE, STATUS_OF_CLAIM
from domain.states import ORDER_TRANSITIONS, OrderState
from faults.system_state import Intent, Order, SystemState, claims_by_event
from faults.violations import DEFECT, Violation
from kit.ids import encode_uuid

_LIVE = ("RESERVED", "PAYING", "BOOKED")
_CLAIM_MAY_FOLLOW = {
    None: {"HELD", "BLOCKED"},
    "HELD": {"BOOKED", "ENDED"},
    "BOOKED": {"ENDED"},
    "BLOCKED": {"ENDED"},
}
_FINAL = ("succeeded", "canceled")
_UNPAID = "requires_payment_method"


def unsettled(system: SystemState) -> list[Violation]:
    """Violations of the state that holds once all work is done."""
    return [
        *_double_claims(system),
        *_incomplete_orders(system),
        *_overdue(system),
        *_over_limit(system),
        *_request_conflicts(system),
        *_money(system),
        *_maps(system),
        *_index(system),
        *[
            Violation(DEFECT, f"the outbox still has {topic} of {key} since {since} ({error or 'no error'})")
            for topic, key, since, error in system.tasks
        ],
    ]


def _may_follow(state: str | None) -> frozenset[OrderState]:
    """The states that an order in a state may have next; None is before its insertion."""
    return frozenset({OrderState.RESERVED}) if state is None else ORDER_TRANSITIONS[OrderState(state)]


def over_time(system: SystemState) -> list[Violation]:
    """Violations in the recorded transitions."""
    found: list[Violation] = []
    live: Counter[tuple[UUID | None, int | None]] = Counter()
    tasks: Counter[str] = Counter()
    for one in system.transitions:
        if one.subject == "order" and one.new not in _may_follow(one.old):
            found.append(Violation(6, f"order {one.key} went from {one.old} to {one.new}"))
        if one.subject == "claim":
            if one.new not in _CLAIM_MAY_FOLLOW.get(one.old, set()):
                found.append(Violation(6, f"claim {one.key} went from {one.old} to {one.new}"))
            place = (one.event_id, one.place)
            live[place] += (one.new != "ENDED") - (one.old not in (None, "ENDED"))
            if live[place] > 1 and one.old is None:
                found.append(
                    Violation(1, f"place {one.place} of {one.event_id} had {live[place]} live claims")
                )
        if one.subject == "task" and one.new == Topic.CAPTURE_PAYMENT:
            tasks[one.key] += 1
    found += [
        Violation(5, f"order {key} requested its capture {n} times") for key, n in tasks.items() if n > 1
    ]
    return found + [Violation(12, f"{place} contains a secret") for place in system.leaks]


def _double_claims(system: SystemState) -> list[Violation]:
    return [
        Violation(1, f"place {place} of {event_id} has {len(claims)} live claims")
        for event_id, places in claims_by_event(system).items()
        for place, claims in places.items()
        if len(claims) > 1
    ]


def _incomplete_orders(system: SystemState) -> list[Violation]:
    found = []
    for order in system.orders.values():
        if order.state not in _LIVE:
            if order.live_places:
                found.append(Violation(2, f"{order.state} order {order.id} still has {order.live_places}"))
            continue
        due = order.total_minor - (order.refunded_tickets_minor if order.state == "BOOKED" else 0)
        if order.live_minor != due:
            found.append(
                Violation(2, f"{order.state} order {order.id} has places for {order.live_minor}, not {due}")
            )
        if order.state == "BOOKED" and order.held_places:
            found.append(Violation(2, f"BOOKED order {order.id} only holds {order.held_places}"))
    return found


def _overdue(system: SystemState) -> list[Violation]:
    return [
        Violation(2, f"{order.state} order {order.id} is past its deadline {order.expires_at}")
        for order in system.orders.values()
        if order.state in ("RESERVED", "PAYING") and order.expires_at <= system.now
    ]


def _over_limit(system: SystemState) -> list[Violation]:
    tickets: Counter[tuple[UUID, str]] = Counter()
    for order in system.orders.values():
        if order.person is not None:
            tickets[(order.event_id, order.person)] += len(order.live_places)
    return [
        Violation(13, f"{person} has {have} tickets of {event_id}, which allows {limit}")
        for (event_id, person), have in tickets.items()
        if (limit := system.person_limits.get(event_id)) is not None and have > limit
    ]


def _request_conflicts(system: SystemState) -> list[Violation]:
    requests = Counter(order.request for order in system.orders.values() if order.request is not None)
    return [
        Violation(11, f"one request ({request}) made {orders} orders")
        for request, orders in requests.items()
        if orders > 1
    ]


def _money(system: SystemState) -> list[Violation]:
    found: list[Violation] = []
    by_order = defaultdict(list)
    for intent in system.intents:
        by_order[intent.order_id].append(intent)
        found += [
            Violation(5, f"intent {intent.id} was refunded {times} times for one refund")
            for times in Counter(intent.refund_keys).values()
            if times > 1
        ]
    known = {str(order_id) for order_id in system.orders}
    found += [
        Violation(3, f"money was captured for {order_id}, which is not a known order")
        for order_id, intents in by_order.items()
        if order_id not in known and any(intent.captured for intent in intents)
    ]
    for order in system.orders.values():
        intents = by_order.get(str(order.id), [])
        if system.unrecorded_intents:
            intents = [one for one in intents if one.id == order.intent_id or one.status != _UNPAID]
        found += _money_of(order, intents)
    return found


def _money_of(order: Order, intents: Sequence[Intent]) -> list[Violation]:
    kept = sum(intent.captured - intent.refunded for intent in intents)
    due = _due(order, intents, kept)
    found = []
    if len(intents) > 1:
        found.append(Violation(5, f"order {order.id} has {len(intents)} intents"))
    if kept != due:
        found.append(Violation(3, f"{order.state} order {order.id} has paid {kept} instead of {due}"))
    waiting = [intent.id for intent in intents if intent.status == "requires_capture"]
    if waiting:
        found.append(Violation(3, f"{order.state} order {order.id} has money on hold in {waiting}"))
    open_ones = [intent.id for intent in intents if intent.status not in _FINAL]
    if order.state not in _LIVE and open_ones:
        found.append(Violation(3, f"{order.state} order {order.id} can still be charged through {open_ones}"))
    return found


def _due(order: Order, intents: Sequence[Intent], kept: int) -> int:
    """What Stripe should have captured and not refunded.

    Money refunded by hand is gone although its tickets are live; what a dispute took, or may take, no refund
    gives back.
    """
    lost = sum(intent.lost for intent in intents)
    if order.state != "BOOKED":
        return min(kept, order.waiting_minor + lost)
    due = max(0, order.live_minor - order.by_hand_minor) + order.waiting_minor
    return due if kept <= due else min(kept, due + lost)


def _maps(system: SystemState) -> list[Violation]:
    found = []
    claims = claims_by_event(system)
    for event_id, seen in system.maps.items():
        expected = bytearray(FREE * len(seen.places))
        owners = {}
        for place, of_place in claims.get(event_id, {}).items():
            expected[place : place + 1] = STATUS_OF_CLAIM[of_place[0].state].encode()
            if of_place[0].order_id is not None:
                owners[place] = str(of_place[0].order_id)
        wrong = [
            f"{place} {chr(a)} of {seen.owners.get(place)} for {chr(b)} of {owners.get(place)}"
            for place, (a, b) in enumerate(zip(seen.places, expected, strict=True))
            if a != b
        ]
        if wrong:
            found.append(Violation(7, f"Redis differs from PostgreSQL at {wrong[:4]} of {event_id}"))
        elif owners != seen.owners:
            found.append(Violation(7, f"Redis has other owners than PostgreSQL in {event_id}"))
    return found


def _index(system: SystemState) -> list[Violation]:
    if system.documents is None:
        return []
    if system.unindexed:
        return [Violation(9, f"{system.unindexed} changes are not in the index yet")]
    expected = {
        f"evt_{encode_uuid(event_id)}": name
        for event_id, (name, state) in system.events.items()
        if state == "PUBLISHED"
    }
    wrong = sorted(set(expected.items()) ^ set(system.documents.items()))
    return [Violation(9, f"index and database differ at {wrong[:4]}")] if wrong else []
