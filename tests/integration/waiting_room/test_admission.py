"""Admission: never above the cap, never in a burst, never twice."""

import asyncio
from datetime import UTC, datetime

import pytest

from domain.errors import Forbidden, NotFound, QueueTokenInvalid, QueueTokenRequired
from domain.viewer import Viewer
from domain.waiting_room import WaitingRoomSettings
from kit.lua import LuaScript
from tests.integration.waiting_room.house import House, buyer, wait_for
from waiting_room.scripts import SCRIPTS

FAST = 100_000


async def token_of(house: House, viewer: Viewer) -> str:
    entry = await house.rooms.entry(viewer, house.event_id)
    assert entry is not None
    assert entry.token is not None, entry
    return entry.token


async def test_no_more_than_the_cap_are_admitted_when_many_wait_and_two_workers_run(
    house: House,
) -> None:
    await house.configure(admit_per_minute=FAST, max_active=7)
    people = await house.crowd(60)

    for _ in range(10):
        await asyncio.gather(house.tick(), house.tick())

    assert await house.admitted(people) == 7
    assert await house.states(people[:7]) == ["ADMITTED"] * 7


async def test_cap_is_broken_when_the_guard_is_taken_out(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = "max_active - active"
    assert SCRIPTS["admit"].text.count(guard) == 1
    text = SCRIPTS["admit"].text.replace(guard, "1000000")
    monkeypatch.setitem(SCRIPTS, "admit", LuaScript("admit", text, "0" * 40))
    await house.configure(admit_per_minute=FAST, max_active=7)
    people = await house.crowd(60)

    await house.tick_until(lambda: _more_than(house, people, 7))

    assert await house.admitted(people) > 7


async def _more_than(house: House, people: list[Viewer], number: int) -> bool:
    return await house.admitted(people) > number


async def test_admission_is_smooth_when_a_worker_was_away(house: House) -> None:
    await house.configure(admit_per_minute=600, max_active=1000)
    people = await house.crowd(100)
    await house.tick()

    await house.redis.hincrby(f"wr:{{{house.event_id}}}:meta", "ticked_ms", -600_000)
    kept = await house.tick()

    assert len(kept.tick.newly_admitted) == 10  # ten minutes away earn one second's worth
    assert await house.admitted(people) <= 12


async def test_rate_is_kept_when_ticks_come_faster_than_people_may(house: House) -> None:
    await house.configure(admit_per_minute=60, max_active=1000)
    people = await house.crowd(20)
    began = datetime.now(UTC)

    for _ in range(50):
        await house.tick()

    seconds = (datetime.now(UTC) - began).total_seconds()
    assert await house.admitted(people) <= 1 + seconds


async def test_place_comes_back_when_its_holder_has_booked(house: House) -> None:
    await house.configure(admit_per_minute=FAST, max_active=1)
    first, second = await house.crowd(2)
    await house.tick()
    token = await token_of(house, first)
    admission = await house.rooms.check(house.event_id, first.user_id, token)
    assert admission is not None

    await house.rooms.finish(house.event_id, admission)
    await house.rooms.finish(house.event_id, admission)
    await house.tick_until(lambda: _more_than(house, [second], 0))

    assert await house.states([first, second]) == ["LEFT", "ADMITTED"]
    with pytest.raises(QueueTokenInvalid):
        await house.rooms.check(house.event_id, first.user_id, token)


async def test_place_comes_back_when_its_holder_leaves(house: House) -> None:
    await house.configure(admit_per_minute=FAST, max_active=1)
    first, second = await house.crowd(2)
    await house.tick()
    token = await token_of(house, first)

    assert await house.rooms.leave(first, house.event_id)
    await house.tick_until(lambda: _more_than(house, [second], 0))

    with pytest.raises(QueueTokenInvalid):
        await house.rooms.check(house.event_id, first.user_id, token)
    assert not await house.rooms.leave(first, house.event_id)


async def test_place_comes_back_when_its_holder_is_out_of_time(house: House) -> None:
    await house.configure(admit_per_minute=FAST, max_active=1, admission_seconds=1)
    first, second = await house.crowd(2)
    await house.tick()
    token = await token_of(house, first)
    admission = await house.rooms.check(house.event_id, first.user_id, token)
    assert admission is not None
    assert await house.rooms.still_admitted(house.event_id, first.user_id, admission)

    await wait_for(lambda: _expired(house, first))

    with pytest.raises(QueueTokenInvalid):
        await house.rooms.check(house.event_id, first.user_id, token)
    assert not await house.rooms.still_admitted(house.event_id, first.user_id, admission)
    await house.tick_until(lambda: _more_than(house, [second], 0))


async def _expired(house: House, viewer: Viewer) -> bool:
    return await house.states([viewer]) == ["EXPIRED"]


async def test_one_admission_an_account_when_it_joins_again_while_shopping(house: House) -> None:
    await house.configure(admit_per_minute=FAST, max_active=5)
    first, *_ = await house.crowd(1)
    await house.tick()
    token = await token_of(house, first)

    again = await asyncio.gather(*(house.rooms.join(first, house.event_id) for _ in range(10)))
    await house.tick()

    assert {entry.token for entry in again} == {token}
    assert (await house.room.state(house.event_id)).active == 1  # type: ignore[union-attr]
    assert (await house.room.state(house.event_id)).admitted == 1  # type: ignore[union-attr]


async def test_rejoining_is_at_the_end_when_an_admission_is_over(house: House) -> None:
    await house.configure(admit_per_minute=FAST, max_active=1)
    people = await house.crowd(3)
    await house.tick()
    await house.rooms.leave(people[0], house.event_id)

    entry = await house.rooms.join(people[0], house.event_id)

    assert entry.position == 3


async def test_nobody_is_admitted_when_the_sale_has_not_started(early_house: House) -> None:
    await early_house.configure(admit_per_minute=FAST)
    people = await early_house.crowd(5)

    await early_house.tick()

    assert await early_house.admitted(people) == 0


async def test_the_line_stands_still_and_wakes_when_seats_are_gone_and_come_back(house: House) -> None:
    await house.configure(admit_per_minute=FAST)
    people = await house.crowd(3)
    await house.database.fetch("UPDATE events SET sold_out = true WHERE id = $1", house.event_id)
    await house.controller.open(house.event_id)
    await house.tick()
    assert await house.admitted(people) == 0

    await house.database.fetch("UPDATE events SET sold_out = false WHERE id = $1", house.event_id)
    await house.controller.open(house.event_id)

    await house.tick_until(lambda: _more_than(house, people, 2))


async def test_an_admission_is_not_told_when_postgresql_does_not_have_it(house: House) -> None:
    await house.configure(admit_per_minute=FAST)
    people = await house.crowd(2)

    tick = await house.room.tick(house.event_id)
    assert tick is not None
    before = await house.states(people)
    await house.tick_until(lambda: _more_than(house, people, 1))

    assert tick.newly_admitted == (people[0].user_id,)
    assert before == ["WAITING", "WAITING"]
    assert await house.states(people) == ["ADMITTED", "ADMITTED"]


# ------------------------------------------------------------ the token


async def test_token_is_required_when_the_room_is_on(house: House) -> None:
    await house.configure()

    with pytest.raises(QueueTokenRequired):
        await house.rooms.check(house.event_id, buyer().user_id, None)


@pytest.mark.parametrize("token", ["x", "a.b.c", "e30.e30.", "\ud800", "x" * 5000])
async def test_token_is_refused_when_it_is_no_token(house: House, token: str) -> None:
    await house.configure()

    with pytest.raises(QueueTokenInvalid):
        await house.rooms.check(house.event_id, buyer().user_id, token)


async def test_token_is_refused_when_another_shows_it(house: House) -> None:
    await house.configure(admit_per_minute=FAST)
    first, second = await house.crowd(2)
    await house.tick()

    with pytest.raises(QueueTokenInvalid):
        await house.rooms.check(house.event_id, second.user_id, await token_of(house, first))


# ------------------------------------------------------------ switching off


async def test_waiting_people_are_let_through_in_waves_when_the_room_is_switched_off(
    house: House,
) -> None:
    await house.configure(admit_per_minute=600, max_active=50, admission_seconds=1)
    people = [buyer() for _ in range(10_000)]
    for start in range(0, len(people), 500):
        await asyncio.gather(
            *(house.room.join(house.event_id, viewer.user_id, 0) for viewer in people[start : start + 500])
        )

    await house.configure(enabled=False, admit_per_minute=600, max_active=50, admission_seconds=1)
    waves = [len((await house.tick()).tick.newly_admitted) for _ in range(30)]

    assert max(waves) <= 10  # a second's worth of 600 a minute
    with pytest.raises(QueueTokenRequired):
        await house.rooms.check(house.event_id, people[-1].user_id, None)
    assert await house.rooms.check(house.event_id, buyer().user_id, None) is None
    overview = await house.rooms.overview(house.event_id)
    assert (overview.enabled, overview.phase) == (False, "CLOSED")


async def test_reserve_stops_asking_when_the_last_one_is_through(house: House) -> None:
    await house.configure(admit_per_minute=FAST)
    people = await house.crowd(3)

    await house.configure(enabled=False, admit_per_minute=FAST)
    asking = (await house.row()).enabled
    await house.tick_until(lambda: _more_than(house, people, 2))
    await house.tick()

    assert asking
    assert not (await house.row()).enabled


async def test_the_line_goes_on_when_the_room_is_switched_on_again(house: House) -> None:
    await house.configure(admit_per_minute=60, max_active=1)
    people = await house.crowd(4)
    await house.configure(enabled=False, admit_per_minute=60, max_active=1)

    await house.configure(admit_per_minute=60, max_active=1)
    await house.tick()

    assert await house.positions(people) == [None, 1, 2, 3]
    assert not (await house.row()).draining


async def test_configuring_is_refused_when_the_event_is_anothers(house: House) -> None:
    with pytest.raises(Forbidden):
        await house.rooms.configure(buyer("organise"), house.event_id, WaitingRoomSettings(enabled=True))
    with pytest.raises(Forbidden):
        await house.rooms.configure(buyer(), house.event_id, WaitingRoomSettings(enabled=True))

    assert not (await house.row()).enabled


async def test_event_is_not_found_when_it_is_a_draft(house: House) -> None:
    await house.configure()
    await house.database.fetch("UPDATE events SET state = 'DRAFT' WHERE id = $1", house.event_id)
    house.rooms._rows.forget(house.event_id)

    with pytest.raises(NotFound):
        await house.rooms.join(buyer(), house.event_id)


async def test_the_lower_cap_stands_when_a_worker_applies_what_it_read_before(house: House) -> None:
    await house.configure(admit_per_minute=FAST, max_active=10)
    stale = await house.row()
    await house.configure(admit_per_minute=FAST, max_active=2)

    await house.controller.apply(stale)

    state = await house.room.state(house.event_id)
    assert state is not None
    assert state.max_active == 2
