"""What Redis loses: everything, or the last second. The cap, the order and the admissions hold."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from unittest.mock import AsyncMock

import pytest
from redis.asyncio import Redis

from devservices.valkey import Valkey
from domain.errors import QueueTokenInvalid, Unavailable
from services.waiting_room import admission_controller
from tests.integration.waiting_room.venue import DEADLINE_SECONDS, Venue, buyer, venue_on
from waiting_room.keys import waiting_room_keys
from waiting_room.outcomes import Outcome
from waiting_room.store import Restored

FAST = 100_000


async def admit(venue: Venue, number: int) -> None:
    async def done() -> bool:
        state = await venue.room.state(venue.event_id)
        return state is not None and state.admitted >= number

    await venue.tick_until(done)


async def active(venue: Venue) -> int:
    state = await venue.room.state(venue.event_id)
    assert state is not None
    return state.active


async def test_line_and_admissions_are_as_before_when_redis_was_emptied(venue: Venue) -> None:
    await venue.configure(admit_per_minute=FAST, max_active=5)
    people = await venue.crowd(30)
    await admit(venue, 5)
    await venue.rooms.leave(people[0], venue.event_id)
    await venue.rooms.leave(people[20], venue.event_id)
    await admit(venue, 6)
    before = [await venue.rooms.entry(viewer, venue.event_id) for viewer in people]

    await venue.redis.flushall()
    with pytest.raises(Unavailable):
        await venue.rooms.entry(people[1], venue.event_id)
    await venue.tick()

    after = [await venue.rooms.entry(viewer, venue.event_id) for viewer in people]
    assert [entry and (entry.state, entry.position, entry.token) for entry in after] == [
        entry and (entry.state, entry.position, entry.token) for entry in before
    ]
    assert await active(venue) == 5


async def test_drawn_places_are_as_before_when_redis_was_emptied(early_venue: Venue) -> None:
    venue = early_venue
    await venue.configure()
    people = await venue.crowd(20)
    await venue.tick()
    before = [(await venue.room.standing(venue.event_id, viewer.user_id)).place for viewer in people]

    await venue.redis.flushall()
    await venue.tick()

    after = [(await venue.room.standing(venue.event_id, viewer.user_id)).place for viewer in people]
    assert after == before


async def test_newcomers_are_behind_when_redis_was_emptied(venue: Venue) -> None:
    await venue.configure(admit_per_minute=1, max_active=1)
    people = await venue.crowd(5)
    await venue.tick()
    await venue.redis.flushall()
    await venue.tick()

    entry = await venue.rooms.join(buyer(), venue.event_id)

    assert entry.position == 5
    assert (await venue.positions(people))[1:] == [1, 2, 3, 4]


async def test_cap_holds_when_it_was_lowered_before_redis_was_emptied(venue: Venue) -> None:
    await venue.configure(admit_per_minute=FAST, max_active=10)
    people = await venue.crowd(10)
    await admit(venue, 10)
    await venue.configure(admit_per_minute=FAST, max_active=4)

    await venue.redis.flushall()
    await venue.tick()

    assert await active(venue) == 4
    waiting = [position for position in await venue.positions(people) if position]
    assert sorted(waiting) == [1, 2, 3, 4, 5, 6]


async def test_lapsed_admissions_stay_lapsed_when_redis_was_emptied(venue: Venue) -> None:
    await venue.configure(admit_per_minute=FAST, max_active=2, admission_seconds=1)
    people = await venue.crowd(1)
    await admit(venue, 1)
    await venue.database.fetch("UPDATE queue_entries SET expires_ms = 1")

    await venue.redis.flushall()
    await venue.tick()

    assert await venue.states(people) == ["EXPIRED"]
    assert await active(venue) == 0


async def test_rebuild_gives_way_when_another_has_begun(venue: Venue) -> None:
    await venue.configure()
    generation, _ = await venue.room.close(venue.event_id)
    later, _ = await venue.room.close(venue.event_id)

    assert not await venue.room.restore(venue.event_id, generation, [_someone()])
    assert not await venue.room.reopen(venue.event_id, generation, drawn_ms=0)
    assert await venue.room.reopen(venue.event_id, later, drawn_ms=0)
    assert not await venue.room.restore(venue.event_id, later, [_someone()])


async def test_nobody_refused_when_organiser_and_workers_rebuild_at_once(venue: Venue) -> None:
    await venue.configure()
    row = await venue.row()
    for _ in range(20):
        await venue.redis.flushall()
        await asyncio.gather(
            venue.controller.open(venue.event_id), *(venue.controller.apply(row) for _ in range(3))
        )

        assert (await venue.room.state(venue.event_id)) is not None


async def test_refused_when_another_begins_to_rebuild_and_does_not_end(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    await venue.configure()
    await venue.room.close(venue.event_id)
    monkeypatch.setattr(venue.room, "reopen", AsyncMock(return_value=False))
    monkeypatch.setattr(admission_controller, "_WAITS_SECONDS", (0.01, 0.01))

    with pytest.raises(Unavailable):
        await venue.controller.open(venue.event_id)


def _someone() -> Restored:
    return Restored(buyer().user_id, "W", 1, "", 0)


async def test_journal_is_written_once_when_two_workers_read_it(venue: Venue) -> None:
    await venue.configure(admit_per_minute=FAST, max_active=3)
    people = await venue.crowd(9)

    await asyncio.gather(*(venue.tick() for _ in range(6)))

    rows = await venue.database.fetch("SELECT user_id, state FROM queue_entries ORDER BY place")
    assert [row["user_id"] for row in rows] == [viewer.user_id for viewer in people]
    assert [row["state"] for row in rows].count("A") == await active(venue)
    assert await venue.redis.xlen(waiting_room_keys(venue.event_id).journal) == 0


# ------------------------------------------------------------ kill -9


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Valkey]:
    """A Valkey of one's own, to kill."""
    server = Valkey(tmp_path, password="test")
    await asyncio.to_thread(server.start)
    yield server
    await asyncio.to_thread(server.stop)


async def reachable(url: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    async with Redis.from_url(url) as client:
        while True:
            try:
                await client.ping()
                return
            except Exception:
                assert time.monotonic() < deadline, "Valkey did not come back"
                await asyncio.sleep(0.02)


async def crash(server: Valkey, venue: Venue, *, losing: bool) -> None:
    """Kill -9 and start again; `losing`: with the log cut back to where it was at `remember`."""
    process = server.process
    assert process is not None
    process.kill()
    process.wait()
    if losing:
        for path, size in venue.log_sizes.items():
            with path.open("rb+") as log:
                log.truncate(size)
    await asyncio.to_thread(server.start)
    await reachable(server.url())


async def remember(server: Valkey, venue: Venue) -> None:
    """Note how long the append-only log is now that everything so far is in it."""
    await venue.redis.config_set("appendfsync", "always")
    await venue.redis.set("marker", "1")
    folder = Path(server.directory) / "appendonlydir"
    venue.log_sizes = {path: path.stat().st_size for path in folder.glob("*.incr.aof")}


async def test_admissions_survive_when_redis_is_killed_and_forgets_them(
    server: Valkey, postgres_url: str
) -> None:
    async with venue_on(postgres_url, server.url()) as venue:
        await venue.configure(admit_per_minute=FAST, max_active=4)
        people = await venue.crowd(12)
        await venue.tick()
        await remember(server, venue)
        await admit(venue, 4)
        late = await venue.crowd(2)
        await venue.tick()
        before = [await venue.rooms.entry(viewer, venue.event_id) for viewer in [*people, *late]]

        await crash(server, venue, losing=True)
        kept = await venue.redis.zcard(waiting_room_keys(venue.event_id).active)
        await venue.tick()

        after = [await venue.rooms.entry(viewer, venue.event_id) for viewer in [*people, *late]]
        assert kept < 4
        assert [entry and (entry.state, entry.position, entry.token) for entry in after] == [
            entry and (entry.state, entry.position, entry.token) for entry in before
        ]
        assert await active(venue) == 4


async def test_answered_places_are_kept_when_redis_is_killed_before_the_worker_wrote_them(
    server: Valkey, postgres_url: str
) -> None:
    async with venue_on(postgres_url, server.url()) as venue:
        await venue.configure(admit_per_minute=1, max_active=1)
        await venue.crowd(3)
        await venue.tick()
        await remember(server, venue)
        people = await venue.crowd(5)
        unrecorded = buyer()
        await venue.room.join(venue.event_id, unrecorded.user_id, [0])
        behind = (await venue.crowd(1))[0]
        before = await venue.positions([*people, behind])

        await crash(server, venue, losing=True)
        await venue.tick()

        assert before == [3, 4, 5, 6, 7, 9]
        # The one whose join was never answered is not there: what kept the others is the record.
        assert await venue.positions([*people, behind]) == [3, 4, 5, 6, 7, 8]
        standing = await venue.room.standing(venue.event_id, unrecorded.user_id)
        assert standing.outcome is Outcome.NONE


async def test_answered_drawn_places_are_kept_when_redis_is_killed_before_the_draw(
    server: Valkey, postgres_url: str
) -> None:
    async with venue_on(postgres_url, server.url(), on_sale_in=timedelta(hours=1)) as venue:
        await venue.configure()
        await venue.tick()
        await remember(server, venue)
        people = await venue.crowd(8)
        before = [(await venue.room.standing(venue.event_id, each.user_id)).place for each in people]

        await crash(server, venue, losing=True)
        await venue.tick()

        after = [(await venue.room.standing(venue.event_id, each.user_id)).place for each in people]
        assert after == before


async def test_no_position_is_shown_when_the_server_restarted_and_the_queue_is_not_rebuilt(
    server: Valkey, postgres_url: str
) -> None:
    async with venue_on(postgres_url, server.url()) as venue:
        await venue.configure(admit_per_minute=FAST, max_active=1)
        people = await venue.crowd(4)
        await admit(venue, 1)
        token = (await venue.rooms.join(people[0], venue.event_id)).token
        await remember(server, venue)
        late = (await venue.crowd(1))[0]

        await crash(server, venue, losing=True)

        for refused in (
            venue.rooms.entry(people[2], venue.event_id),
            venue.rooms.entry(late, venue.event_id),
            venue.rooms.join(late, venue.event_id),
            venue.rooms.check(venue.event_id, people[0].user_id, token),
        ):
            with pytest.raises(Unavailable):
                await refused
        await venue.tick()
        assert await venue.positions([people[2], late]) == [2, 4]


async def test_rejoining_is_behind_when_redis_is_killed_after_a_place_was_given_up(
    server: Valkey, postgres_url: str
) -> None:
    async with venue_on(postgres_url, server.url()) as venue:
        await venue.configure(admit_per_minute=1, max_active=1)
        people = await venue.crowd(4)
        await venue.tick()
        await remember(server, venue)
        await venue.rooms.leave(people[1], venue.event_id)
        await venue.rooms.join(people[1], venue.event_id)

        await crash(server, venue, losing=True)
        await venue.tick()

        assert await venue.positions(people[1:]) == [3, 1, 2]


async def test_booked_admission_stays_dead_when_redis_is_killed_and_forgets_the_booking(
    server: Valkey, postgres_url: str
) -> None:
    async with venue_on(postgres_url, server.url()) as venue:
        await venue.configure(admit_per_minute=FAST, max_active=1)
        first, second = await venue.crowd(2)
        await admit(venue, 1)
        entry = await venue.rooms.entry(first, venue.event_id)
        assert entry is not None
        assert entry.token is not None
        admission = await venue.rooms.check(venue.event_id, first.user_id, entry.token)
        assert admission is not None
        await remember(server, venue)
        await venue.rooms.finish(venue.event_id, admission)
        await admit(venue, 2)

        await crash(server, venue, losing=True)
        await venue.tick()

        assert await venue.states([first, second]) == ["LEFT", "ADMITTED"]
        assert await active(venue) == 1
        with pytest.raises(QueueTokenInvalid):
            await venue.rooms.check(venue.event_id, first.user_id, entry.token)


async def test_nobody_is_admitted_when_the_server_restarted_and_the_line_is_not_rebuilt(
    server: Valkey, postgres_url: str
) -> None:
    async with venue_on(postgres_url, server.url()) as venue:
        await venue.configure(admit_per_minute=FAST, max_active=4)
        await venue.crowd(12)
        await venue.tick()
        await crash(server, venue, losing=False)

        tick = await venue.room.tick(venue.event_id)

        assert tick is None
        await venue.tick()
        assert await active(venue) >= 1


async def test_cap_holds_when_redis_is_killed_again_and_again(server: Valkey, postgres_url: str) -> None:
    async with venue_on(postgres_url, server.url()) as venue:
        await venue.configure(admit_per_minute=FAST, max_active=5)
        people = await venue.crowd(40)
        tokens: dict[str, str] = {}
        for _ in range(3):
            await venue.tick()
            await remember(server, venue)
            for viewer in people[::9]:
                await venue.rooms.leave(viewer, venue.event_id)
            await asyncio.gather(venue.tick(), venue.tick())
            await crash(server, venue, losing=True)
            await venue.tick()
            live = 0
            for viewer in people:
                entry = await venue.rooms.entry(viewer, venue.event_id)
                if entry is not None and entry.token is not None:
                    live += 1
                    tokens[viewer.subject] = entry.token
            assert live <= 5
            assert live == await active(venue)
