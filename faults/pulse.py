"""A pulse: a hold and its release several times a second, to tell how long buyers could not buy."""

import asyncio
import itertools
import time
from dataclasses import dataclass, field

from faults.buyers import Market
from faults.history import Call, Outcome
from faults.house import House
from faults.shop import Shop

_EVERY_SECONDS = 0.2


@dataclass(slots=True)
class Pulse:
    """When holds were asked for, and whether they were given."""

    shop: Shop
    house: House
    market: Market
    beats: list[tuple[float, bool]] = field(default_factory=list)

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
        started = time.time()
        name = f"pulse-{number}"
        token = self.house.token(name)
        selection = {"generalAdmission": {"sectionId": self.market.section_id, "quantity": 1}}
        given = {"eventId": self.market.event_id, "selection": selection, "idempotencyKey": name}
        held = await self.shop.call(name, "reserve", given, token, key=name, wanted=1)
        self.beats.append((started, held.outcome is Outcome.OK))
        if held.order is not None:
            await self._give_back(name, token, held)

    async def _give_back(self, name: str, token: str, held: Call) -> None:
        await self.shop.call(name, "release", {"orderId": held.order}, token, order=held.order)

    def longest_gap(self, since: float, until: float) -> float:
        """The longest time, in seconds, in which no hold that was asked for was given."""
        return longest_gap(self.beats, since, until)


def longest_gap(beats: list[tuple[float, bool]], since: float, until: float) -> float:
    """From the first beat that failed to the next that did not; 0 where none failed."""
    longest, failing_since = 0.0, None
    for at, good in sorted(beat for beat in beats if since <= beat[0] <= until):
        if not good and failing_since is None:
            failing_since = at
        elif good and failing_since is not None:
            longest, failing_since = max(longest, at - failing_since), None
    if failing_since is not None:
        longest = max(longest, until - failing_since)
    return longest
