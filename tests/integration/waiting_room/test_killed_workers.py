"""Workers are killed with -9 wherever they are: the cap, the order and one admission an account hold."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.integration.waiting_room.venue import Venue, wait_for

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


async def test_cap_and_order_hold_when_workers_are_killed_at_any_moment(
    venue: Venue, postgres_url: str, redis_url: str
) -> None:
    await venue.configure(admit_per_minute=100_000, max_active=CAP)
    people = await venue.crowd(PEOPLE)
    chance = random.Random(11)
    tokens: dict[str, set[str]] = {viewer.subject: set() for viewer in people}
    most = 0

    async def look() -> None:
        nonlocal most
        state = await venue.room.state(venue.event_id)
        assert state is not None
        most = max(most, state.active)
        staying = 0
        for viewer in people:
            entry = await venue.rooms.entry(viewer, venue.event_id)
            if entry is not None and entry.token is not None:
                tokens[viewer.subject].add(entry.token)
                if chance.random() < 0.5:
                    await venue.rooms.leave(viewer, venue.event_id)
                else:
                    staying += 1
        most = max(most, staying)

    for _ in range(3):
        with worker(postgres_url, redis_url), worker(postgres_url, redis_url) as second:
            state = await venue.room.state(venue.event_id)
            assert state is not None
            before = state.admitted

            async def goes_on(admitted: int = before) -> bool:
                await look()
                state = await venue.room.state(venue.event_id)
                return state is not None and (state.admitted > admitted + 3 or state.waiting == 0)

            await wait_for(goes_on)
            second.kill()

    await venue.tick()
    await look()
    assert 1 <= most <= CAP
    assert all(len(shown) <= 1 for shown in tokens.values())
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
