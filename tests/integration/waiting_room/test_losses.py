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
from tests.integration.waiting_room.house import DEADLINE_SECONDS, House, buyer, house_on
from waiting_room.keys import waiting_room_keys
from waiting_room.outcomes import Outcome
from waiting_room.store import Restored

FAST = 100_000


async def admit(house: House, number: int) -> None:
    async def done() -> bool:
        state = await house.room.state(house.event_id)
        return state is not None and state.admitted >= number

    await house.tick_until(done)


async def active(house: House) -> int:
    state = await house.room.state(house.event_id)
    assert state is not None
    return state.active


async def test_line_and_admissions_are_as_before_when_redis_was_emptied(house: House) -> None:
    await house.configure(admit_per_minute=FAST, max_active=5)
    people = await house.crowd(30)
    await admit(house, 5)
    await house.rooms.leave(people[0], house.event_id)
    await house.rooms.leave(people[20], house.event_id)
    await admit(house, 6)
    before = [await house.rooms.entry(viewer, house.event_id) for viewer in people]

    await house.redis.flushall()
    with pytest.raises(Unavailable):
        await house.rooms.entry(people[1], house.event_id)
    await house.tick()

    after = [await house.rooms.entry(viewer, house.event_id) for viewer in people]
    assert [entry and (entry.state, entry.position, entry.token) for entry in after] == [
        entry and (entry.state, entry.position, entry.token) for entry in before
    ]
    assert await active(house) == 5


async def test_drawn_places_are_as_before_when_redis_was_emptied(early_house: House) -> None:
    house = early_house
    await house.configure()
    people = await house.crowd(20)
    await house.tick()
    before = [(await house.room.standing(house.event_id, viewer.user_id)).place for viewer in people]

    await house.redis.flushall()
    await house.tick()

    after = [(await house.room.standing(house.event_id, viewer.user_id)).place for viewer in people]
    assert after == before


async def test_newcomers_are_behind_when_redis_was_emptied(house: House) -> None:
    await house.configure(admit_per_minute=1, max_active=1)
    people = await house.crowd(5)
    await house.tick()
    await house.redis.flushall()
    await house.tick()

    entry = await house.rooms.join(buyer(), house.event_id)

    assert entry.position == 5
    assert (await house.positions(people))[1:] == [1, 2, 3, 4]


async def test_cap_holds_when_it_was_lowered_before_redis_was_emptied(house: House) -> None:
    await house.configure(admit_per_minute=FAST, max_active=10)
    people = await house.crowd(10)
    await admit(house, 10)
    await house.configure(admit_per_minute=FAST, max_active=4)

    await house.redis.flushall()
    await house.tick()

    assert await active(house) == 4
    waiting = [position for position in await house.positions(people) if position]
    assert sorted(waiting) == [1, 2, 3, 4, 5, 6]


async def test_lapsed_admissions_stay_lapsed_when_redis_was_emptied(house: House) -> None:
    await house.configure(admit_per_minute=FAST, max_active=2, admission_seconds=1)
    people = await house.crowd(1)
    await admit(house, 1)
    await house.database.fetch("UPDATE queue_entries SET expires_ms = 1")

    await house.redis.flushall()
    await house.tick()

    assert await house.states(people) == ["EXPIRED"]
    assert await active(house) == 0


async def test_rebuild_gives_way_when_another_has_begun(house: House) -> None:
    await house.configure()
    generation, _ = await house.room.close(house.event_id)
    later, _ = await house.room.close(house.event_id)

    assert not await house.room.restore(house.event_id, generation, [_someone()])
    assert not await house.room.reopen(house.event_id, generation, drawn_ms=0)
    assert await house.room.reopen(house.event_id, later, drawn_ms=0)
    assert not await house.room.restore(house.event_id, later, [_someone()])


async def test_nobody_refused_when_organiser_and_workers_rebuild_at_once(house: House) -> None:
    await house.configure()
    row = await house.row()
    for _ in range(20):
        await house.redis.flushall()
        await asyncio.gather(
            house.controller.open(house.event_id), *(house.controller.apply(row) for _ in range(3))
        )

        assert (await house.room.state(house.event_id)) is not None


async def test_refused_when_another_begins_to_rebuild_and_does_not_end(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.configure()
    await house.room.close(house.event_id)
    monkeypatch.setattr(house.room, "reopen", AsyncMock(return_value=False))
    monkeypatch.setattr(admission_controller, "_WAITS_SECONDS", (0.01, 0.01))

    with pytest.raises(Unavailable):
        await house.controller.open(house.event_id)


def _someone() -> Restored:
    return Restored(buyer().user_id, "W", 1, "", 0)


async def test_journal_is_written_once_when_two_workers_read_it(house: House) -> None:
    await house.configure(admit_per_minute=FAST, max_active=3)
    people = await house.crowd(9)

    await asyncio.gather(*(house.tick() for _ in range(6)))

    rows = await house.database.fetch("SELECT user_id, state FROM queue_entries ORDER BY place")
    assert [row["user_id"] for row in rows] == [viewer.user_id for viewer in people]
    assert [row["state"] for row in rows].count("A") == await active(house)
    assert await house.redis.xlen(f"wr:{{{house.event_id}}}:journal") == 0


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


async def crash(server: Valkey, house: House, *, losing: bool) -> None:
    """Kill -9 and start again; `losing`: with the log cut back to where it was at `remember`."""
    process = server.process
    assert process is not None
    process.kill()
    process.wait()
    if losing:
        for path, size in house.log_sizes.items():
            with path.open("rb+") as log:
                log.truncate(size)
    await asyncio.to_thread(server.start)
    await reachable(server.url())


async def remember(server: Valkey, house: House) -> None:
    """Note how long the append-only log is now that everything so far is in it."""
    await house.redis.config_set("appendfsync", "always")
    await house.redis.set("marker", "1")
    folder = Path(server.directory) / "appendonlydir"
    house.log_sizes = {path: path.stat().st_size for path in folder.glob("*.incr.aof")}


async def test_admissions_survive_when_redis_is_killed_and_forgets_them(
    server: Valkey, postgres_url: str
) -> None:
    async with house_on(postgres_url, server.url()) as house:
        await house.configure(admit_per_minute=FAST, max_active=4)
        people = await house.crowd(12)
        await house.tick()
        await remember(server, house)
        await admit(house, 4)
        late = await house.crowd(2)
        await house.tick()
        before = [await house.rooms.entry(viewer, house.event_id) for viewer in [*people, *late]]

        await crash(server, house, losing=True)
        kept = await house.redis.zcard(waiting_room_keys(house.event_id).active)
        await house.tick()

        after = [await house.rooms.entry(viewer, house.event_id) for viewer in [*people, *late]]
        assert kept < 4
        assert [entry and (entry.state, entry.position, entry.token) for entry in after] == [
            entry and (entry.state, entry.position, entry.token) for entry in before
        ]
        assert await active(house) == 4


async def test_answered_places_are_kept_when_redis_is_killed_before_the_worker_wrote_them(
    server: Valkey, postgres_url: str
) -> None:
    async with house_on(postgres_url, server.url()) as house:
        await house.configure(admit_per_minute=1, max_active=1)
        await house.crowd(3)
        await house.tick()
        await remember(server, house)
        people = await house.crowd(5)
        unrecorded = buyer()
        await house.room.join(house.event_id, unrecorded.user_id, 0)
        behind = (await house.crowd(1))[0]
        before = await house.positions([*people, behind])

        await crash(server, house, losing=True)
        await house.tick()

        assert before == [3, 4, 5, 6, 7, 9]
        # The one whose join was never answered is not there: what kept the others is the record.
        assert await house.positions([*people, behind]) == [3, 4, 5, 6, 7, 8]
        standing = await house.room.standing(house.event_id, unrecorded.user_id)
        assert standing.outcome is Outcome.NONE


async def test_answered_drawn_places_are_kept_when_redis_is_killed_before_the_draw(
    server: Valkey, postgres_url: str
) -> None:
    async with house_on(postgres_url, server.url(), on_sale_in=timedelta(hours=1)) as house:
        await house.configure()
        await house.tick()
        await remember(server, house)
        people = await house.crowd(8)
        before = [(await house.room.standing(house.event_id, each.user_id)).place for each in people]

        await crash(server, house, losing=True)
        await house.tick()

        after = [(await house.room.standing(house.event_id, each.user_id)).place for each in people]
        assert after == before


async def test_nothing_is_told_when_the_server_restarted_and_the_line_is_not_rebuilt(
    server: Valkey, postgres_url: str
) -> None:
    async with house_on(postgres_url, server.url()) as house:
        await house.configure(admit_per_minute=FAST, max_active=1)
        people = await house.crowd(4)
        await admit(house, 1)
        token = (await house.rooms.join(people[0], house.event_id)).token
        await remember(server, house)
        late = (await house.crowd(1))[0]

        await crash(server, house, losing=True)

        for refused in (
            house.rooms.entry(people[2], house.event_id),
            house.rooms.entry(late, house.event_id),
            house.rooms.join(late, house.event_id),
            house.rooms.check(house.event_id, people[0].user_id, token),
        ):
            with pytest.raises(Unavailable):
                await refused
        await house.tick()
        assert await house.positions([people[2], late]) == [2, 4]


async def test_rejoining_is_behind_when_redis_is_killed_after_a_place_was_given_up(
    server: Valkey, postgres_url: str
) -> None:
    async with house_on(postgres_url, server.url()) as house:
        await house.configure(admit_per_minute=1, max_active=1)
        people = await house.crowd(4)
        await house.tick()
        await remember(server, house)
        await house.rooms.leave(people[1], house.event_id)
        await house.rooms.join(people[1], house.event_id)

        await crash(server, house, losing=True)
        await house.tick()

        assert await house.positions(people[1:]) == [3, 1, 2]


async def test_booked_admission_stays_dead_when_redis_is_killed_and_forgets_the_booking(
    server: Valkey, postgres_url: str
) -> None:
    async with house_on(postgres_url, server.url()) as house:
        await house.configure(admit_per_minute=FAST, max_active=1)
        first, second = await house.crowd(2)
        await admit(house, 1)
        entry = await house.rooms.entry(first, house.event_id)
        assert entry is not None
        assert entry.token is not None
        admission = await house.rooms.check(house.event_id, first.user_id, entry.token)
        assert admission is not None
        await remember(server, house)
        await house.rooms.finish(house.event_id, admission)
        await admit(house, 2)

        await crash(server, house, losing=True)
        await house.tick()

        assert await house.states([first, second]) == ["LEFT", "ADMITTED"]
        assert await active(house) == 1
        with pytest.raises(QueueTokenInvalid):
            await house.rooms.check(house.event_id, first.user_id, entry.token)


async def test_nobody_is_admitted_when_the_server_restarted_and_the_line_is_not_rebuilt(
    server: Valkey, postgres_url: str
) -> None:
    async with house_on(postgres_url, server.url()) as house:
        await house.configure(admit_per_minute=FAST, max_active=4)
        await house.crowd(12)
        await house.tick()
        await crash(server, house, losing=False)

        tick = await house.room.tick(house.event_id)

        assert tick is None
        await house.tick()
        assert await active(house) >= 1


async def test_cap_holds_when_redis_is_killed_again_and_again(server: Valkey, postgres_url: str) -> None:
    async with house_on(postgres_url, server.url()) as house:
        await house.configure(admit_per_minute=FAST, max_active=5)
        people = await house.crowd(40)
        tokens: dict[str, str] = {}
        for _ in range(3):
            await house.tick()
            await remember(server, house)
            for viewer in people[::9]:
                await house.rooms.leave(viewer, house.event_id)
            await asyncio.gather(house.tick(), house.tick())
            await crash(server, house, losing=True)
            await house.tick()
            live = 0
            for viewer in people:
                entry = await house.rooms.entry(viewer, house.event_id)
                if entry is not None and entry.token is not None:
                    live += 1
                    tokens[viewer.subject] = entry.token
            assert live <= 5
            assert live == await active(house)
