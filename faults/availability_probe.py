"""The availability probe: five holds a second, each released, to measure how long none succeeds."""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from faults.buyers import EventOnSale
from faults.client import RecordingClient
from faults.history import Call, Outcome
from faults.installation import Installation

_INTERVAL_SECONDS = 0.2
# An event that has no free place answers, too.
_SOLD = ("NOT_ENOUGH_SEATS", "SEATS_UNAVAILABLE")


def _opened() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass(slots=True)
class AvailabilityProbe:
    """Requests holds and records when one succeeds."""

    api: RecordingClient
    installation: Installation
    on_sale: EventOnSale
    name: str = "probe"
    open: asyncio.Event = field(default_factory=_opened)
    """While it is not set, nothing is requested."""
    succeeded_at: list[float] = field(default_factory=list)

    async def run(self) -> None:
        """Runs until cancelled. Probes are concurrent, so that one that hangs delays no other."""
        probes: set[asyncio.Task[None]] = set()
        try:
            for number in itertools.count():
                await self.open.wait()
                probe = asyncio.create_task(self._probe_once(number))
                probes.add(probe)
                probe.add_done_callback(probes.discard)
                await asyncio.sleep(_INTERVAL_SECONDS)
        finally:
            for probe in probes:
                probe.cancel()
            await asyncio.gather(*probes, return_exceptions=True)

    async def _probe_once(self, number: int) -> None:
        name = f"{self.name}-{number}"
        token = self.installation.token(name)
        selection = {"generalAdmission": {"sectionId": self.on_sale.section_id, "quantity": 1}}
        given = {"eventId": self.on_sale.event_id, "selection": selection, "idempotencyKey": name}
        held = await self.api.call(name, "reserve", given, token, key=name, wanted=1)
        if held.outcome is Outcome.OK or held.code in _SOLD:
            self.succeeded_at.append(held.ended)
        if held.outcome is Outcome.OK:
            await self._release(name, token, held)

    async def _release(self, name: str, token: str, held: Call) -> None:
        await self.api.call(name, "release", {"orderId": held.order}, token, order=held.order)

    def longest_gap(self, since: float, until: float) -> float:
        """The longest time in seconds without a successful hold; 0.2 without faults."""
        return longest_gap(self.succeeded_at, since, until)


def longest_gap(times: Sequence[float], since: float, until: float) -> float:
    """The longest gap between these times, from `since` to `until`."""
    marks = [since, *sorted(time for time in times if since < time < until), until]
    return max(later - earlier for earlier, later in pairwise(marks))
