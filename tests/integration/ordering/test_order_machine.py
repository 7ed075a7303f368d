"""Holds and orders against a model: whatever people do in whatever order, both tell the same.

Hypothesis writes the stories: two buyers and an organiser of a hall of six seats, cards good and bad,
the clock, an emptied Redis. After every step the map, the orders and the money are those of the model.
"""

import asyncio
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import pytest
import redis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from db.queries.orders import order_by_id
from db.queries.payments import payment_of_order
from devservices.local_stripe import LocalStripe
from domain.errors import (
    DomainError,
    IdempotencyMismatch,
    NotFound,
    OrderExpired,
    OrderNotPayable,
    PaymentDeclined,
    SeatsGone,
    SlowDown,
)
from domain.viewer import Viewer
from faults import guards
from kit.ids import new_uuid
from payments.stripe_gateway import StripeGateway
from reservations.scripts import SCRIPTS
from services.catalogue.block_seats import block_seats
from services.context import ServiceContext
from services.ordering.attempt import ReserveRequest
from services.ordering.expiry import expire_lapsed, expire_paying
from services.ordering.outbox import deliver
from services.ordering.pay import pay
from services.ordering.refund import refund
from services.ordering.release import release
from services.ordering.reserve import reserve
from services.ordering.selection import ExactSeats
from tests.events import ORGANISER, ManualClock, buyer, open_event, service_context_on

PEOPLE = [buyer("ann"), buyer("bob")]
SEATS = 6
GOOD, BAD = "pm_card_visa", "pm_card_chargeDeclined"
HOLDING = {"RESERVED", "PAYING"}
T = TypeVar("T")
people = st.sampled_from(PEOPLE)
choices = st.sets(st.integers(0, SEATS - 1), min_size=1, max_size=3).map(sorted).map(tuple)


@dataclass(slots=True)
class Known:
    """What the model knows of an order."""

    owner: Viewer
    places: tuple[int, ...]
    state: str
    expires_at: datetime
    is_extended: bool = False
    ended_at: datetime | None = None
    """When it was released or lapsed"""


class OrderMachine(RuleBasedStateMachine):
    """One story."""

    parts: tuple[str, str, str]
    steps = 0
    refused = 0
    orders: Bundle[UUID] = Bundle("orders")
    keys: Bundle[tuple[str, Viewer, tuple[int, ...], UUID]] = Bundle("keys")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.clock = ManualClock()
        self.known: dict[UUID, Known] = {}
        self.blocked: set[int] = set()
        self.context: ServiceContext
        self.event_id: UUID

    @initialize()
    def open_house(self) -> None:
        self.run(self._open())

    async def _open(self) -> None:
        postgres_url, redis_url, stripe_url = self.parts
        gateway = StripeGateway("sk_test_local", api_base=stripe_url)
        self.stack.push_async_callback(gateway.close)
        self.context = await self.stack.enter_async_context(
            service_context_on(postgres_url, redis_url, gateway, self.clock)
        )
        self.event_id = await open_event(self.context.database, rows=[SEATS])

    def run(self, work: Awaitable[T]) -> T:
        """One step, and whatever the worker does after it."""
        type(self).steps += 1

        async def step() -> T:
            try:
                return await work
            finally:
                await self._work_off()

        return self.runner.run(step())

    async def _work_off(self) -> None:
        await expire_paying(self.context)
        await expire_lapsed(self.context)
        async with asyncio.timeout(20):
            while await self.context.database.fetchval("SELECT count(*) FROM outbox"):
                await deliver(self.context)

    def refusal(self, work: Awaitable[object]) -> type[DomainError] | None:
        """How it is refused, if it is."""
        try:
            self.run(work)
        except DomainError as refused:
            type(self).refused += 1
            return type(refused)
        return None

    def taken(self) -> set[int]:
        """Places that nobody can hold now."""
        held = {
            p for order in self.known.values() if order.state in {*HOLDING, "BOOKED"} for p in order.places
        }
        return held | self.blocked

    def is_paused(self, who: Viewer) -> bool:
        """Whether a buyer has released so often that the next hold has to wait."""
        now = self.clock()
        ends = [
            order.ended_at
            for order in self.known.values()
            if order.owner is who and order.ended_at is not None
        ]
        counted = [end for end in ends if end > now - timedelta(minutes=30)]
        pauses_seconds = (0, 0, 0, 30, 120, 600)
        pause = timedelta(seconds=pauses_seconds[min(len(counted), 5)])
        return bool(counted) and now < max(counted) + pause

    @rule(target=orders, who=people, places=choices)
    def hold(self, who: Viewer, places: tuple[int, ...]) -> Any:
        return self._hold(who, places, None)

    @rule(target=keys, who=people, places=choices)
    def hold_with_key(self, who: Viewer, places: tuple[int, ...]) -> Any:
        # Not drawn: the buyers are the same in every story, and a key of theirs holds for good.
        key = str(new_uuid())
        held = self._hold(who, places, key)
        return held if not isinstance(held, UUID) else (key, who, places, held)

    def _hold(self, who: Viewer, places: tuple[int, ...], key: str | None) -> Any:
        is_free = not self.taken() & set(places)
        is_paused = self.is_paused(who)
        request = ReserveRequest(self.event_id, ExactSeats(places), idempotency_key=key)
        try:
            order = self.run(reserve(self.context, who, request))
        except SeatsGone:
            type(self).refused += 1
            assert not is_free
            return multiple()
        except SlowDown:
            type(self).refused += 1
            assert is_paused
            return multiple()
        assert is_free and not is_paused
        self.known[order.id] = Known(who, places, "RESERVED", order.expires_at)
        return order.id

    @rule(made=keys)
    def hold_again_with_the_same_key(self, made: tuple[str, Viewer, tuple[int, ...], UUID]) -> None:
        key, who, places, order_id = made
        request = ReserveRequest(self.event_id, ExactSeats(places), idempotency_key=key)
        assert self.run(reserve(self.context, who, request)).id == order_id

    @rule(made=keys, places=choices)
    def hold_something_else_with_the_same_key(
        self, made: tuple[str, Viewer, tuple[int, ...], UUID], places: tuple[int, ...]
    ) -> None:
        if places != made[2]:
            request = ReserveRequest(self.event_id, ExactSeats(places), idempotency_key=made[0])
            assert self.refusal(reserve(self.context, made[1], request)) is IdempotencyMismatch

    @rule(order_id=orders, who=people, card=st.sampled_from([GOOD, BAD]))
    def pay_for(self, order_id: UUID, who: Viewer, card: str) -> None:
        order = self.known[order_id]
        refused = self.refusal(pay(self.context, who, order_id, card, str(new_uuid())))
        if who is not order.owner:
            assert refused is NotFound
        elif order.state == "EXPIRED":
            assert refused is OrderExpired
        elif order.state not in HOLDING:
            assert refused is OrderNotPayable
        elif card == GOOD:
            assert refused is None
            order.state = "BOOKED"
        else:
            assert refused is PaymentDeclined
            self._note_start(order_id, order)

    @rule(order_id=orders, who=people)
    def ask_for_a_client_secret(self, order_id: UUID, who: Viewer) -> None:
        order = self.known[order_id]
        refused = self.refusal(pay(self.context, who, order_id))
        if who is not order.owner:
            assert refused is NotFound
        elif order.state == "EXPIRED":
            assert refused is OrderExpired
        elif order.state not in HOLDING:
            assert refused is OrderNotPayable
        else:
            assert refused is None
            row = self.runner.run(order_by_id(self.context.database, order_id))
            assert row is not None and (row.state, row.expires_at) == (order.state, order.expires_at)

    def _note_start(self, order_id: UUID, order: Known) -> None:
        """A payment that has begun moves the deadline, once."""
        row = self.runner.run(order_by_id(self.context.database, order_id))
        assert row is not None and row.expires_at >= order.expires_at
        assert not order.is_extended or row.expires_at == order.expires_at
        order.state, order.expires_at, order.is_extended = "PAYING", row.expires_at, True

    @rule(order_id=orders, who=people)
    def release_it(self, order_id: UUID, who: Viewer) -> None:
        order = self.known[order_id]
        refused = self.refusal(release(self.context, who, order_id))
        if who is not order.owner:
            assert refused is NotFound
        elif order.state in HOLDING:
            assert refused is None
            order.state, order.ended_at = "CANCELLED", self.clock()
        elif order.state in {"BOOKED", "REFUNDED"}:
            assert refused is OrderNotPayable

    @rule(order_id=consumes(orders))
    def refund_it(self, order_id: UUID) -> None:
        order = self.known[order_id]
        refused = self.refusal(refund(self.context, ORGANISER, order_id))
        if order.state == "BOOKED":
            assert refused is None
            order.state = "REFUNDED"
        elif order.state != "REFUNDED":
            assert refused is not None

    @rule(place=st.integers(0, SEATS - 1))
    def block(self, place: int) -> None:
        is_taken = place in self.taken() - self.blocked
        refused = self.refusal(block_seats(self.context, ORGANISER, self.event_id, [place], blocked=True))
        assert (refused is SeatsGone) == is_taken
        if not is_taken:
            self.blocked.add(place)

    @rule(place=st.integers(0, SEATS - 1))
    def unblock(self, place: int) -> None:
        if place in self.blocked:
            self.run(block_seats(self.context, ORGANISER, self.event_id, [place], blocked=False))
            self.blocked.discard(place)

    @rule(seconds=st.sampled_from([60, 481, 601]))
    def let_time_pass(self, seconds: int) -> None:
        self.clock.advance(seconds=seconds)
        now = self.clock()
        for order in self.known.values():
            if order.state in HOLDING and order.expires_at <= now:
                order.state, order.ended_at = "EXPIRED", now
        self.run(asyncio.sleep(0))

    @rule()
    def empty_redis(self) -> None:
        with redis.Redis.from_url(self.parts[1]) as client:
            client.flushall()

    @invariant()
    def map_is_the_models(self) -> None:
        if not hasattr(self, "event_id"):
            return
        letters = ["X" if place in self.blocked else "A" for place in range(SEATS)]
        for order in self.known.values():
            if order.state in {*HOLDING, "BOOKED"}:
                for place in order.places:
                    letters[place] = "B" if order.state == "BOOKED" else "H"
        seen = self.runner.run(self.context.seats.snapshot(self.event_id))
        assert seen.places.decode() == "".join(letters)

    @invariant()
    def orders_and_money_are_the_models(self) -> None:
        for order_id, order in self.known.items():
            state, kept, total = self.runner.run(self._books(order_id))
            assert state == order.state
            assert kept == (total if order.state == "BOOKED" else 0)

    async def _books(self, order_id: UUID) -> tuple[str, int, int]:
        row = await order_by_id(self.context.database, order_id)
        payment = await payment_of_order(self.context.database, order_id)
        assert row is not None
        kept = 0 if payment is None else payment.captured_minor - payment.refunded_minor
        return row.state, kept, row.total_minor

    def teardown(self) -> None:
        self.runner.run(self.stack.aclose())
        self.runner.close()


def tell_stories(parts: tuple[str, str, str], examples: int, **more: Any) -> None:
    """Let Hypothesis write that many at most; the first that ends otherwise is raised."""
    OrderMachine.parts = parts
    OrderMachine.steps = OrderMachine.refused = 0
    run_state_machine_as_test(
        OrderMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
            **more,
        ),
    )


def test_every_story_ends_as_the_model_says(
    postgres_url: str, redis_url: str, stripe_server: LocalStripe
) -> None:
    tell_stories((postgres_url, redis_url, stripe_server.url()), 20)

    assert OrderMachine.steps > 60
    assert OrderMachine.refused > 5


@pytest.mark.parametrize("name", ["hold-check", "reserve-key", "seat-source"])
def test_a_story_ends_otherwise_when_a_guard_is_gone(
    name: str,
    postgres_url: str,
    redis_url: str,
    stripe_server: LocalStripe,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def replace(room: object, **functions: Any) -> None:
        for attribute, function in functions.items():
            monkeypatch.setattr(room, attribute, function)

    monkeypatch.setattr(guards, "_replace", replace)
    monkeypatch.setitem(SCRIPTS, "hold", SCRIPTS["hold"])  # a guard replaces it: restore it afterwards
    guards.GUARDS[name].remove()
    if sql := guards.GUARDS[name].sql:
        asyncio.run(execute(postgres_url, sql))

    with pytest.raises((AssertionError, DomainError)):
        tell_stories(
            (postgres_url, redis_url, stripe_server.url()),
            100,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            report_multiple_bugs=False,
        )


async def execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
