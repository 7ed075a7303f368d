"""A pulse: a hold and its release five times a second, to tell for how long nobody could buy."""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from faults.buyers import Market
from faults.history import Call, Outcome
from faults.house import House
from faults.shop import Shop

_EVERY_SECONDS = 0.2


@dataclass(slots=True)
class Pulse:
    """Asks for holds, and remembers when one was given."""

    shop: Shop
    house: House
    market: Market
    given: list[float] = field(default_factory=list)

    async def run(self) -> None:
        """Until cancelled. Each beat goes its own way, so that one that hangs holds up none."""
        beats: set[asyncio.Task[None]] = set()
        try:
            for number in itertools.count():
                beat = asyncio.create_task(self._beat(number))
                beats.add(beat)
                beat.add_done_callback(beats.discard)
                await asyncio.sleep(_EVERY_SECONDS)
        finally:
            for beat in beats:
                beat.cancel()
            await asyncio.gather(*beats, return_exceptions=True)

    async def _beat(self, number: int) -> None:
        name = f"pulse-{number}"
        token = self.house.token(name)
        selection = {"generalAdmission": {"sectionId": self.market.section_id, "quantity": 1}}
        given = {"eventId": self.market.event_id, "selection": selection, "idempotencyKey": name}
        held = await self.shop.call(name, "reserve", given, token, key=name, wanted=1)
        if held.outcome is Outcome.OK:
            self.given.append(held.ended)
            await self._give_back(name, token, held)

    async def _give_back(self, name: str, token: str, held: Call) -> None:
        await self.shop.call(name, "release", {"orderId": held.order}, token, order=held.order)

    def longest_gap(self, since: float, until: float) -> float:
        """The longest time, in seconds, in which no hold was given; 0.2 when all is well."""
        return longest_gap(self.given, since, until)


def longest_gap(times: Sequence[float], since: float, until: float) -> float:
    """The longest stretch between `since` and `until` without any of these times."""
    marks = [since, *sorted(time for time in times if since < time < until), until]
    return max(later - earlier for earlier, later in pairwise(marks))
