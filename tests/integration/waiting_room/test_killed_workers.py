"""Workers are killed with -9 wherever they are: the cap, the order and one admission an account hold."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from domain.viewer import Viewer
from tests.integration.waiting_room.venue import Venue, wait_for
from waiting_room.outcomes import WaitingRoomState

MODULE = "tests.integration.waiting_room.worker_process"
CAP = 5
PEOPLE = 60


@contextmanager
def worker(postgres_url: str, redis_url: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-m", MODULE, postgres_url, redis_url])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


class Crowd:
    """People who look at their positions; half of those that are admitted leave at once."""

    def __init__(self, venue: Venue, people: list[Viewer]) -> None:
        self.venue = venue
        self.people = people
        self.chance = random.Random(11)
        self.tokens: dict[str, set[str]] = {viewer.subject: set() for viewer in people}
        self.most_active = 0

    async def look(self) -> None:
        self.most_active = max(self.most_active, (await self.state()).active)
        staying = 0
        for viewer in self.people:
            entry = await self.venue.rooms.entry(viewer, self.venue.event_id)
            if entry is not None and entry.token is not None:
                self.tokens[viewer.subject].add(entry.token)
                if self.chance.random() < 0.5:
                    await self.venue.rooms.leave(viewer, self.venue.event_id)
                else:
                    staying += 1
        self.most_active = max(self.most_active, staying)

    async def state(self) -> WaitingRoomState:
        state = await self.venue.room.state(self.venue.event_id)
        assert state is not None
        return state

    async def look_until_more_are_admitted(self) -> None:
        before = (await self.state()).admitted

        async def goes_on() -> bool:
            await self.look()
            state = await self.state()
            return state.admitted > before + 3 or state.waiting == 0

        await wait_for(goes_on)


async def test_cap_and_order_hold_when_workers_are_killed_at_any_time(
    venue: Venue, postgres_url: str, redis_url: str
) -> None:
    await venue.configure(admit_per_minute=100_000, max_active=CAP)
    people = await venue.crowd(PEOPLE)
    crowd = Crowd(venue, people)

    for _ in range(3):
        with worker(postgres_url, redis_url), worker(postgres_url, redis_url) as second:
            await crowd.look_until_more_are_admitted()
            second.kill()

    await venue.tick()
    await crowd.look()
    assert 1 <= crowd.most_active <= CAP
    assert all(len(shown) <= 1 for shown in crowd.tokens.values())
    waiting = [position for position in await venue.positions(people) if position]
    assert waiting == list(range(1, len(waiting) + 1))


async def test_postgresql_is_left_alone_when_people_without_admission_press(venue: Venue) -> None:
    await venue.configure(admit_per_minute=1, max_active=1)
    people = await venue.crowd(20)
    await venue.tick()
    asked = 0
    connection = venue.database.connection

    def counted() -> object:
        nonlocal asked
        asked += 1
        return connection()

    venue.database.connection = counted  # type: ignore[method-assign,assignment]
    began = time.monotonic()
    for _ in range(20):
        for viewer in people[1:]:
            await venue.rooms.join(viewer, venue.event_id)
            await venue.rooms.entry(viewer, venue.event_id)

    # The event's row is read once a second and process, however many press.
    assert asked <= 1 + (time.monotonic() - began)
