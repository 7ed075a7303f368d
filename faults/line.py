"""People in a waiting room: they join, look, are admitted, buy or leave; and what they may never see."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from faults.buyers import Market
from faults.history import Call, Outcome
from faults.house import House
from faults.shop import Shop
from faults.verdicts import Violation

MOST_ACTIVE = 4
ADMISSION_SECONDS = 8
_LOOK_SECONDS = 0.4


@dataclass(slots=True)
class Line:
    """The waiting room of one event."""

    shop: Shop
    house: House
    market: Market
    dice: random.Random
    open: asyncio.Event

    async def prepare(self) -> None:
        """Turn the waiting room on."""
        given = {
            "eventId": self.market.event_id,
            "enabled": True,
            "admitPerMinute": 600,
            "maxActive": MOST_ACTIVE,
            "admissionSeconds": ADMISSION_SECONDS,
        }
        call = await self.shop.call("organiser", "line", given, self.market.organiser)
        if call.outcome is not Outcome.OK:
            raise RuntimeError(f"the waiting room could not be turned on: {call.code}")

    async def person(self, number: int) -> None:
        """One account that comes again and again, until cancelled."""
        name = f"waiting-{number}"
        token = self.house.token(name)
        while True:
            await self.open.wait()
            joined = await self._insist(name, "join", token)
            if joined.outcome is Outcome.OK:
                admitted = await self._wait(name, token)
                if admitted is not None:
                    await self._shop(name, token, admitted)
            await asyncio.sleep(self.dice.uniform(0.1, 0.5))

    async def _insist(self, name: str, operation: str, token: str) -> Call:
        while True:
            call = await self.shop.call(name, operation, {"eventId": self.market.event_id}, token)
            if call.outcome is not Outcome.UNKNOWN:
                return call
            await asyncio.sleep(_LOOK_SECONDS)

    async def _wait(self, name: str, token: str) -> str | None:
        """The queue token, once admitted; None where the place was lost."""
        while True:
            call = await self.shop.call(name, "entry", {"eventId": self.market.event_id}, token)
            entry = call.detail.get("entry") or {}
            if entry.get("state") == "ADMITTED" and entry.get("admission"):
                return str(entry["admission"]["token"])
            if call.outcome is Outcome.FAILED or entry.get("state") in ("LEFT", "EXPIRED"):
                return None
            await asyncio.sleep(_LOOK_SECONDS)

    async def _shop(self, name: str, token: str, admission: str) -> None:
        if self.dice.random() < 0.2:
            await self._insist(name, "leave", token)
            return
        if self.dice.random() < 0.2:
            await asyncio.sleep(ADMISSION_SECONDS)  # the admission runs out
            return
        await asyncio.sleep(self.dice.uniform(0.0, 2.0))
        key = UUID(int=self.dice.getrandbits(128)).hex
        selection = {"generalAdmission": {"sectionId": self.market.section_id, "quantity": 1}}
        given = {"eventId": self.market.event_id, "selection": selection, "idempotencyKey": key}
        held = await self.shop.call(
            name, "reserve", {**given, "queueToken": admission}, token, key=key, wanted=1
        )
        if held.order is not None:
            await self.shop.call(name, "release", {"orderId": held.order}, token, order=held.order)
        await self._insist(name, "leave", token)


@dataclass(frozen=True, slots=True)
class _Visit:
    """A time in which somebody certainly shopped."""

    actor: str
    start: float
    end: float


def check_line(calls: Sequence[Call], most_active: int = MOST_ACTIVE) -> list[Violation]:
    """Invariant 10: never more shopping than the cap, and a place in line never gets worse."""
    by_actor: dict[str, list[Call]] = {}
    for call in calls:
        if call.operation in ("join", "entry", "leave", "reserve") and call.actor.startswith("waiting-"):
            by_actor.setdefault(call.actor, []).append(call)
    found, visits = [], []
    for actor, own in by_actor.items():
        own.sort(key=lambda call: call.started)
        found += _worse_places(actor, own)
        visits += _visits(actor, own)
    return found + _too_many(visits, most_active)


def _worse_places(actor: str, calls: Sequence[Call]) -> list[Violation]:
    found = []
    best: int | None = None
    for call in calls:
        entry = call.detail.get("entry") or {}
        position = entry.get("position")
        if call.operation in ("leave", "reserve") or entry.get("state") != "WAITING":
            best = None if call.outcome is not Outcome.UNKNOWN or call.operation == "leave" else best
        elif position is not None:
            if best is not None and position > best:
                found.append(Violation(10, f"{actor} was at {best} in line, and then at {position}"))
            best = position if best is None else min(best, position)
    return found


def _visits(actor: str, calls: Sequence[Call]) -> list[_Visit]:
    """From the answer that showed an admission to the last call that could only have worked under it."""
    found: list[_Visit] = []
    start: float | None = None
    for call in calls:
        entry: dict[str, Any] = call.detail.get("entry") or {}
        if entry.get("state") == "ADMITTED":
            start = call.ended if start is None else start
        elif call.operation == "reserve" and call.outcome is Outcome.OK and start is not None:
            found.append(_Visit(actor, start, call.started))
            start = None
        else:
            start = None
    return [visit for visit in found if visit.end > visit.start]


def _too_many(visits: Sequence[_Visit], most_active: int) -> list[Violation]:
    for visit in visits:
        at = visit.start
        shopping = {other.actor for other in visits if other.start <= at <= other.end}
        if len(shopping) > most_active:
            moment = time.strftime("%H:%M:%S", time.gmtime(at))
            return [Violation(10, f"{len(shopping)} people shopped at {moment}, {most_active} may")]
    return []
