"""A simulated sale: N people use the services of the API."""

import asyncio
import random
import statistics
import time
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from db.session import DATABASE_AWAY
from domain.errors import BoxofficeError, NotEnoughSeats, SeatsGone
from domain.ids import user_id_of
from domain.states import OrderState
from domain.viewer import Scope, Viewer
from domain.waiting_room import EntryState
from services.context import ServiceContext
from services.ordering.attempt import ReserveRequest
from services.ordering.pay import pay
from services.ordering.reserve import reserve
from services.ordering.selection import GeneralAdmission
from services.waiting_room.waiting_rooms import QueueEntry, WaitingRooms
from subscriptions.queue_positions import WaitingRoomHub

SAMPLE_SECONDS = 0.5
# Of 100 admitted people, 75 buy, 10 have a card declined first, 10 leave, and 5 let their admission lapse.
_BUYS, _DECLINED, _LEAVES = 0.75, 0.10, 0.10
_REFUSED: tuple[type[Exception], ...] = (BoxofficeError, *DATABASE_AWAY)
# For shorter waits, the steps of a tick and of a second are most of the error.
_MIN_JUDGED_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a sale. `visit_seconds` is the median time from the admission to the decision."""

    people: int
    seats: int
    per_minute: int
    max_active: int
    visit_seconds: float
    seed: int


@dataclass(frozen=True, slots=True)
class Sample:
    """The sale at one time."""

    seconds: float
    admitted: int
    waiting: int
    active: int
    seats_left: int
    errors: int


@dataclass(slots=True)
class Result:
    """The result of a sale."""

    samples: list[Sample] = field(default_factory=list)
    eta_errors: list[float] = field(default_factory=list)
    booked: int = 0
    empty_handed: int = 0
    errors: int = 0
    most_active: int = 0
    worse_places: int = 0

    def median_eta_error(self) -> float:
        """The median relative error of the sent estimates: 0.2 is a fifth."""
        return statistics.median(self.eta_errors) if self.eta_errors else 0.0


class Sale:
    """The people of one sale, and their results."""

    def __init__(
        self, plan: Plan, context: ServiceContext, rooms: WaitingRooms, hub: WaitingRoomHub, event_id: UUID
    ) -> None:
        self.result = Result()
        self._plan = plan
        self._context = context
        self._rooms = rooms
        self._hub = hub
        self._event_id = event_id
        self._chance = random.Random(plan.seed)  # noqa: S311 - decisions of people, not secrets
        self._sold_out = asyncio.Event()
        self._done = 0

    async def play(self, report: Callable[[int, int, str], None]) -> Result:
        """Run the sale: all people join, wait, and decide."""
        watching = asyncio.create_task(self._watch(report))
        people = [self._person(number) for number in range(self._plan.people)]
        await asyncio.gather(*(self._counted(person) for person in people))
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await self._sample(time.monotonic() - self._began)
        return self.result

    async def _counted(self, person: Coroutine[Any, Any, None]) -> None:
        try:
            await person
        except _REFUSED:
            self.result.errors += 1
        finally:
            self._done += 1

    async def _person(self, number: int) -> None:
        subject = f"simulated|{number}"
        viewer = Viewer(user_id_of(subject), subject, None, None, frozenset({Scope.BUY.value}))
        visit_seconds = self._chance.lognormvariate(0, 0.5) * self._plan.visit_seconds
        mood, tickets = self._chance.random(), self._chance.choice((1, 2, 2, 2, 3, 4))
        await asyncio.sleep(self._chance.random() * 2)
        await self._rooms.join(viewer, self._event_id)
        token = await self._wait(viewer)
        if token is None:
            self.result.empty_handed += 1
            return
        await asyncio.sleep(visit_seconds)
        await self._shop(viewer, token, mood, tickets)

    async def _wait(self, viewer: Viewer) -> str | None:
        """Wait for the admission, and return its token; None when everything is sold."""
        estimates: list[tuple[float, int]] = []
        stream = self._hub.stream(viewer, self._event_id)
        best: int | None = None
        entry: QueueEntry
        async with aclosing(stream):
            async for entry in stream:
                if entry.state is EntryState.ADMITTED:
                    self._judge(estimates)
                    return entry.token
                if self._sold_out.is_set():
                    break
                if best is not None and entry.position is not None and entry.position > best:
                    self.result.worse_places += 1
                best = entry.position
                if entry.eta_seconds is not None:
                    estimates.append((time.monotonic(), entry.eta_seconds))
        await self._rooms.leave(viewer, self._event_id)
        return None

    def _judge(self, estimates: list[tuple[float, int]]) -> None:
        now = time.monotonic()
        self.result.eta_errors += [
            abs(eta - (now - at)) / (now - at) for at, eta in estimates if now - at >= _MIN_JUDGED_SECONDS
        ]

    async def _shop(self, viewer: Viewer, token: str, mood: float, tickets: int) -> None:
        if mood > _BUYS + _DECLINED + _LEAVES:
            return
        if mood > _BUYS + _DECLINED:
            await self._rooms.leave(viewer, self._event_id)
            return
        try:
            order = await reserve(
                self._context,
                viewer,
                ReserveRequest(self._event_id, GeneralAdmission(0, tickets), token),
            )
        except (NotEnoughSeats, SeatsGone):
            self.result.empty_handed += 1
            await self._rooms.leave(viewer, self._event_id)
            return
        if mood > _BUYS:
            try:
                await pay(self._context, viewer, order.id, "pm_card_chargeDeclined")
            except BoxofficeError:
                await asyncio.sleep(self._plan.visit_seconds / 4)
        paid = await pay(self._context, viewer, order.id, "pm_card_visa")
        self.result.booked += paid.order.state == OrderState.BOOKED

    async def _watch(self, report: Callable[[int, int, str], None]) -> None:
        self._began = time.monotonic()
        while True:
            await self._sample(time.monotonic() - self._began)
            report(self._done, self._plan.people, "people served")
            await asyncio.sleep(SAMPLE_SECONDS)

    async def _sample(self, seconds: float) -> None:
        state = await self._rooms.room.state(self._event_id)
        if state is None:
            return
        sold = await self._context.database.fetchval(
            "SELECT count(*) FROM claims WHERE event_id = $1 AND state IN ('HELD', 'BOOKED')",
            self._event_id,
        )
        booked = await self._context.database.fetchval(
            "SELECT count(*) FROM claims WHERE event_id = $1 AND state = 'BOOKED'", self._event_id
        )
        if booked >= self._plan.seats:
            self._sold_out.set()
        result = self.result
        result.most_active = max(result.most_active, state.active)
        result.samples.append(
            Sample(
                seconds,
                state.admitted,
                state.waiting,
                state.active,
                self._plan.seats - sold,
                result.errors,
            )
        )
