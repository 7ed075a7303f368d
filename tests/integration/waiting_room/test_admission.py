"""Admission: never above the cap, never in a burst, never twice."""

import asyncio
from datetime import UTC, datetime

import pytest

from domain.errors import Forbidden, NotFound, QueueTokenInvalid, QueueTokenRequired
from domain.viewer import Viewer
from domain.waiting_room import WaitingRoomSettings
from kit.lua import LuaScript
from tests.integration.waiting_room.venue import Venue, buyer, wait_for
from waiting_room.keys import waiting_room_keys
from waiting_room.scripts import SCRIPTS

FAST = 100_000


async def token_of(venue: Venue, viewer: Viewer) -> str:
    entry = await venue.rooms.entry(viewer, venue.event_id)
    assert entry is not None
    assert entry.token is not None, entry
    return entry.token


async def test_no_more_than_the_cap_are_admitted_when_many_wait_and_two_workers_run(
    venue: Venue,
) -> None:
    await venue.configure(admit_per_minute=FAST, max_active=7)
    people = await venue.crowd(60)

    for _ in range(10):
        await asyncio.gather(venue.tick(), venue.tick())

    assert await venue.admitted(people) == 7
    assert await venue.states(people[:7]) == ["ADMITTED"] * 7


async def test_cap_is_broken_when_the_guard_is_taken_out(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = "max_active - active"
    assert SCRIPTS["admit"].text.count(guard) == 1
    text = SCRIPTS["admit"].text.replace(guard, "1000000")
    monkeypatch.setitem(SCRIPTS, "admit", LuaScript("admit", text, "0" * 40))
    await venue.configure(admit_per_minute=FAST, max_active=7)
    people = await venue.crowd(60)

    await venue.tick_until(lambda: _more_than(venue, people, 7))

    assert await venue.admitted(people) > 7


async def _more_than(venue: Venue, people: list[Viewer], number: int) -> bool:
    return await venue.admitted(people) > number


async def test_admission_is_smooth_when_a_worker_was_away(venue: Venue) -> None:
    await venue.configure(admit_per_minute=600, max_active=1000)
    people = await venue.crowd(100)
    await venue.tick()

    await venue.redis.hincrby(waiting_room_keys(venue.event_id).meta, "ticked_ms", -600_000)
    kept = await venue.tick()

    assert len(kept.tick.newly_admitted) == 10  # ten minutes away earn one second's worth
    assert await venue.admitted(people) <= 12


async def test_rate_is_kept_when_ticks_come_faster_than_people_may(venue: Venue) -> None:
    await venue.configure(admit_per_minute=60, max_active=1000)
    people = await venue.crowd(20)
    began = datetime.now(UTC)

    for _ in range(50):
        await venue.tick()

    seconds = (datetime.now(UTC) - began).total_seconds()
    assert await venue.admitted(people) <= 1 + seconds


async def test_place_comes_back_when_its_holder_has_booked(venue: Venue) -> None:
    await venue.configure(admit_per_minute=FAST, max_active=1)
    first, second = await venue.crowd(2)
    await venue.tick()
    token = await token_of(venue, first)
    admission = await venue.rooms.check(venue.event_id, first.user_id, token)
    assert admission is not None

    await venue.rooms.finish(venue.event_id, admission)
    await venue.rooms.finish(venue.event_id, admission)
    await venue.tick_until(lambda: _more_than(venue, [second], 0))

    assert await venue.states([first, second]) == ["LEFT", "ADMITTED"]
    with pytest.raises(QueueTokenInvalid):
        await venue.rooms.check(venue.event_id, first.user_id, token)


async def test_place_comes_back_when_its_holder_leaves(venue: Venue) -> None:
    await venue.configure(admit_per_minute=FAST, max_active=1)
    first, second = await venue.crowd(2)
    await venue.tick()
    token = await token_of(venue, first)

    assert await venue.rooms.leave(first, venue.event_id)
    await venue.tick_until(lambda: _more_than(venue, [second], 0))

    with pytest.raises(QueueTokenInvalid):
        await venue.rooms.check(venue.event_id, first.user_id, token)
    assert not await venue.rooms.leave(first, venue.event_id)


async def test_place_comes_back_when_its_holder_is_out_of_time(venue: Venue) -> None:
    await venue.configure(admit_per_minute=FAST, max_active=1, admission_seconds=1)
    first, second = await venue.crowd(2)
    await venue.tick()
    token = await token_of(venue, first)
    assert await venue.rooms.check(venue.event_id, first.user_id, token) is not None

    await wait_for(lambda: _expired(venue, first))

    with pytest.raises(QueueTokenInvalid):
        await venue.rooms.check(venue.event_id, first.user_id, token)
    await venue.tick_until(lambda: _more_than(venue, [second], 0))


async def _expired(venue: Venue, viewer: Viewer) -> bool:
    return await venue.states([viewer]) == ["EXPIRED"]


async def test_one_admission_an_account_when_it_joins_again_while_shopping(venue: Venue) -> None:
    await venue.configure(admit_per_minute=FAST, max_active=5)
    first, *_ = await venue.crowd(1)
    await venue.tick()
    token = await token_of(venue, first)

    again = await asyncio.gather(*(venue.rooms.join(first, venue.event_id) for _ in range(10)))
    await venue.tick()

    assert {entry.token for entry in again} == {token}
    assert (await venue.room.state(venue.event_id)).active == 1  # type: ignore[union-attr]
    assert (await venue.room.state(venue.event_id)).admitted == 1  # type: ignore[union-attr]


async def test_rejoining_is_at_the_end_when_an_admission_is_over(venue: Venue) -> None:
    await venue.configure(admit_per_minute=FAST, max_active=1)
    people = await venue.crowd(3)
    await venue.tick()
    await venue.rooms.leave(people[0], venue.event_id)

    entry = await venue.rooms.join(people[0], venue.event_id)

    assert entry.position is None  # behind those who still come, too


async def test_nobody_is_admitted_when_the_sale_has_not_started(early_venue: Venue) -> None:
    await early_venue.configure(admit_per_minute=FAST)
    people = await early_venue.crowd(5)

    await early_venue.tick()

    assert await early_venue.admitted(people) == 0


async def test_the_line_stands_still_and_wakes_when_seats_are_gone_and_come_back(venue: Venue) -> None:
    await venue.configure(admit_per_minute=FAST)
    people = await venue.crowd(3)
    await venue.database.fetch("UPDATE events SET sold_out = true WHERE id = $1", venue.event_id)
    await venue.controller.open(venue.event_id)
    await venue.tick()
    assert await venue.admitted(people) == 0

    await venue.database.fetch("UPDATE events SET sold_out = false WHERE id = $1", venue.event_id)
    await venue.controller.open(venue.event_id)

    await venue.tick_until(lambda: _more_than(venue, people, 2))


async def test_an_admission_is_not_shown_when_postgresql_does_not_have_it(venue: Venue) -> None:
    await venue.configure(admit_per_minute=FAST)
    people = await venue.crowd(2)

    tick = await venue.room.tick(venue.event_id)
    assert tick is not None
    before = await venue.states(people)
    await venue.tick_until(lambda: _more_than(venue, people, 1))

    assert tick.newly_admitted == (people[0].user_id,)
    assert before == ["WAITING", "WAITING"]
    assert await venue.states(people) == ["ADMITTED", "ADMITTED"]


# ------------------------------------------------------------ the token


async def test_token_is_required_when_the_room_is_on(venue: Venue) -> None:
    await venue.configure()

    with pytest.raises(QueueTokenRequired):
        await venue.rooms.check(venue.event_id, buyer().user_id, None)


@pytest.mark.parametrize("token", ["x", "a.b.c", "e30.e30.", "\ud800", "x" * 5000])
async def test_token_is_refused_when_it_is_no_token(venue: Venue, token: str) -> None:
    await venue.configure()

    with pytest.raises(QueueTokenInvalid):
        await venue.rooms.check(venue.event_id, buyer().user_id, token)


async def test_token_is_refused_when_another_shows_it(venue: Venue) -> None:
    await venue.configure(admit_per_minute=FAST)
    first, second = await venue.crowd(2)
    await venue.tick()

    with pytest.raises(QueueTokenInvalid):
        await venue.rooms.check(venue.event_id, second.user_id, await token_of(venue, first))


# ------------------------------------------------------------ switching off


async def test_waiting_people_are_let_through_in_waves_when_the_room_is_switched_off(
    venue: Venue,
) -> None:
    await venue.configure(admit_per_minute=600, max_active=50, admission_seconds=1)
    people = [buyer() for _ in range(10_000)]
    for start in range(0, len(people), 500):
        await asyncio.gather(
            *(venue.room.join(venue.event_id, viewer.user_id, [0]) for viewer in people[start : start + 500])
        )

    await venue.configure(enabled=False, admit_per_minute=600, max_active=50, admission_seconds=1)
    waves = [len((await venue.tick()).tick.newly_admitted) for _ in range(30)]

    assert max(waves) <= 10  # a second's worth of 600 a minute
    with pytest.raises(QueueTokenRequired):
        await venue.rooms.check(venue.event_id, people[-1].user_id, None)
    assert await venue.rooms.check(venue.event_id, buyer().user_id, None) is None
    overview = await venue.rooms.overview(venue.event_id)
    assert (overview.enabled, overview.phase) == (False, "CLOSED")


async def test_reserve_stops_asking_when_the_last_one_is_through(venue: Venue) -> None:
    await venue.configure(admit_per_minute=FAST)
    people = await venue.crowd(3)

    await venue.configure(enabled=False, admit_per_minute=FAST)
    asking = (await venue.row()).enabled
    await venue.tick_until(lambda: _more_than(venue, people, 2))
    await venue.tick()

    assert asking
    assert not (await venue.row()).enabled


async def test_the_line_goes_on_when_the_room_is_switched_on_again(venue: Venue) -> None:
    await venue.configure(admit_per_minute=60, max_active=1)
    people = await venue.crowd(4)
    await venue.configure(enabled=False, admit_per_minute=60, max_active=1)

    await venue.configure(admit_per_minute=60, max_active=1)
    await venue.tick()

    assert await venue.positions(people) == [None, 1, 2, 3]
    assert not (await venue.row()).draining


async def test_configuring_is_refused_when_the_event_is_anothers(venue: Venue) -> None:
    with pytest.raises(Forbidden):
        await venue.rooms.configure(buyer("organise"), venue.event_id, WaitingRoomSettings(enabled=True))
    with pytest.raises(Forbidden):
        await venue.rooms.configure(buyer(), venue.event_id, WaitingRoomSettings(enabled=True))

    assert not (await venue.row()).enabled


async def test_event_is_not_found_when_it_is_a_draft(venue: Venue) -> None:
    await venue.configure()
    await venue.database.fetch("UPDATE events SET state = 'DRAFT' WHERE id = $1", venue.event_id)
    venue.rooms._rows.forget(venue.event_id)

    with pytest.raises(NotFound):
        await venue.rooms.join(buyer(), venue.event_id)


async def test_the_lower_cap_stands_when_a_worker_applies_what_it_read_before(venue: Venue) -> None:
    await venue.configure(admit_per_minute=FAST, max_active=10)
    stale = await venue.row()
    await venue.configure(admit_per_minute=FAST, max_active=2)

    await venue.controller.apply(stale)

    state = await venue.room.state(venue.event_id)
    assert state is not None
    assert state.max_active == 2
