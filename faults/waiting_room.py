"""The load of a waiting room (join, poll, buy, leave) and the checks of invariant 10."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from faults.buyers import EventOnSale
from faults.client import RecordingClient
from faults.history import Call, Outcome
from faults.installation import Installation
from faults.violations import Violation

MAX_ACTIVE = 4
ADMISSION_SECONDS = 8
_POLL_SECONDS = 0.4


@dataclass(slots=True)
class WaitingRoomLoad:
    """The people in the waiting room of one event."""

    api: RecordingClient
    installation: Installation
    on_sale: EventOnSale
    rng: random.Random
    open: asyncio.Event

    async def prepare(self) -> None:
        """Turns on the waiting room."""
        given = {
            "eventId": self.on_sale.event_id,
            "enabled": True,
            "admitPerMinute": 600,
            "maxActive": MAX_ACTIVE,
            "admissionSeconds": ADMISSION_SECONDS,
        }
        call = await self.api.call("organiser", "configure_waiting_room", given, self.on_sale.organiser)
        if call.outcome is not Outcome.OK:
            raise RuntimeError(f"the waiting room could not be turned on: {call.code}")

    async def person(self, number: int) -> None:
        """One account that joins repeatedly, until cancelled."""
        name = f"waiting-{number}"
        token = self.installation.token(name)
        while True:
            await self.open.wait()
            joined = await self._retry(name, "join", token)
            if joined.outcome is Outcome.OK:
                admitted = await self._wait(name, token)
                if admitted is not None:
                    await self._buy(name, token, admitted)
            await asyncio.sleep(self.rng.uniform(0.1, 0.5))

    async def _retry(self, name: str, operation: str, token: str) -> Call:
        while True:
            call = await self.api.call(name, operation, {"eventId": self.on_sale.event_id}, token)
            if call.outcome is not Outcome.UNKNOWN:
                return call
            await asyncio.sleep(_POLL_SECONDS)

    async def _wait(self, name: str, token: str) -> str | None:
        """The queue token after the admission; None if the entry ended."""
        while True:
            call = await self.api.call(name, "entry", {"eventId": self.on_sale.event_id}, token)
            entry = call.detail.get("entry") or {}
            if entry.get("state") == "ADMITTED" and entry.get("admission"):
                return str(entry["admission"]["token"])
            if call.outcome is Outcome.FAILED or entry.get("state") in ("LEFT", "EXPIRED"):
                return None
            await asyncio.sleep(_POLL_SECONDS)

    async def _buy(self, name: str, token: str, admission: str) -> None:
        if self.rng.random() < 0.2:
            await self._retry(name, "leave", token)
            return
        if self.rng.random() < 0.2:
            await asyncio.sleep(ADMISSION_SECONDS)  # the admission expires
            return
        await asyncio.sleep(self.rng.uniform(0.0, 2.0))
        key = UUID(int=self.rng.getrandbits(128)).hex
        selection = {"generalAdmission": {"sectionId": self.on_sale.section_id, "quantity": 1}}
        given = {"eventId": self.on_sale.event_id, "selection": selection, "idempotencyKey": key}
        held = await self.api.call(
            name, "reserve", {**given, "queueToken": admission}, token, key=key, wanted=1
        )
        if held.order is not None:
            await self.api.call(name, "release", {"orderId": held.order}, token, order=held.order)
        await self._retry(name, "leave", token)


@dataclass(frozen=True, slots=True)
class _Visit:
    """A time during which a person certainly had an admission."""

    actor: str
    start: float
    end: float


def check_waiting_room(calls: Sequence[Call], max_active: int = MAX_ACTIVE) -> list[Violation]:
    """Invariant 10: admissions in use never exceed the cap, and a position never gets worse."""
    by_actor: dict[str, list[Call]] = {}
    for call in calls:
        if call.operation in ("join", "entry", "leave", "reserve") and call.actor.startswith("waiting-"):
            by_actor.setdefault(call.actor, []).append(call)
    found, visits = [], []
    for actor, own in by_actor.items():
        own.sort(key=lambda call: call.started)
        found += _position_regressions(actor, own)
        visits += _visits(actor, own)
    return found + _cap_violations(visits, max_active)


def _position_regressions(actor: str, calls: Sequence[Call]) -> list[Violation]:
    found = []
    best: int | None = None
    for call in calls:
        entry = call.detail.get("entry") or {}
        position = entry.get("position")
        if call.operation in ("leave", "reserve") or entry.get("state") != "WAITING":
            best = None if call.outcome is not Outcome.UNKNOWN or call.operation == "leave" else best
        elif position is not None:
            if best is not None and position > best:
                found.append(Violation(10, f"{actor} had position {best}, and then {position}"))
            best = position if best is None else min(best, position)
    return found


def _visits(actor: str, calls: Sequence[Call]) -> list[_Visit]:
    """From the response with an admission to the last call that needs it."""
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


def _cap_violations(visits: Sequence[_Visit], max_active: int) -> list[Violation]:
    for visit in visits:
        at = visit.start
        active = {other.actor for other in visits if other.start <= at <= other.end}
        if len(active) > max_active:
            at_text = time.strftime("%H:%M:%S", time.gmtime(at))
            return [
                Violation(10, f"{len(active)} admissions were in use at {at_text}, {max_active} are allowed")
            ]
    return []
