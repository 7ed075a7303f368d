"""An admission is taken up by its holder, or the holder is passed over and costs no slot."""

import asyncio

import pytest

from kit.lua import LuaScript
from services.waiting_room.admission_controller import AdmissionController
from subscriptions.queue_positions import WaitingRoomHub
from tests.integration.waiting_room.test_positions import Tab, hub
from tests.integration.waiting_room.venue import RecordingPublisher, Venue
from waiting_room.keys import waiting_room_keys
from waiting_room.outcomes import Outcome
from waiting_room.scripts import SCRIPTS

__all__ = ["hub"]

FAST = 100_000
CLAIM_SECONDS = 1


def claim_soon(venue: Venue) -> None:
    venue.controller = AdmissionController(
        venue.database, venue.room, RecordingPublisher(), claim_seconds=CLAIM_SECONDS
    )


async def pass_over(venue: Venue, number: int) -> None:
    """Rounds until so many are passed over."""

    async def done() -> bool:
        return int(await venue.redis.zcard(waiting_room_keys(venue.event_id).passed)) >= number

    await venue.tick_until(done)


async def active(venue: Venue) -> int:
    state = await venue.room.state(venue.event_id)
    assert state is not None
    return state.active


async def test_the_next_is_admitted_when_nobody_takes_the_admission_up(venue: Venue) -> None:
    claim_soon(venue)
    await venue.configure(admit_per_minute=FAST, max_active=1)
    absent, honest = await venue.crowd(2)
    await venue.tick()
    assert await venue.positions([honest]) == [1]

    async def admitted() -> bool:
        assert await active(venue) <= 1
        return await venue.admitted([honest]) == 1

    await venue.tick_until(admitted)

    assert await venue.positions([absent]) == [1]
    assert await active(venue) == 1


async def test_absent_people_keep_the_slot_when_the_guard_is_taken_out(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = "redis.call('ZADD', KEYS[9], deadline, user)"
    assert SCRIPTS["admit"].text.count(guard) == 1
    text = SCRIPTS["admit"].text.replace(guard, "")
    monkeypatch.setitem(SCRIPTS, "admit", LuaScript("admit", text, "0" * 40))
    claim_soon(venue)
    await venue.configure(admit_per_minute=FAST, max_active=1)
    _, honest = await venue.crowd(2)
    await venue.tick()

    await asyncio.sleep(CLAIM_SECONDS + 0.2)
    await venue.tick()

    assert await venue.states([honest]) == ["WAITING"]


@pytest.mark.parametrize("sign", ["entry", "join"])
async def test_an_admission_stays_when_its_holder_has_asked_once(venue: Venue, sign: str) -> None:
    claim_soon(venue)
    await venue.configure(admit_per_minute=FAST, max_active=1)
    holder, other = await venue.crowd(2)
    await venue.tick()
    await getattr(venue.rooms, sign)(holder, venue.event_id)

    await asyncio.sleep(CLAIM_SECONDS + 0.2)
    await venue.tick()

    assert await venue.states([holder, other]) == ["ADMITTED", "WAITING"]


async def test_an_admission_stays_when_its_holder_has_an_open_tab(venue: Venue, hub: WaitingRoomHub) -> None:
    await venue.configure(admit_per_minute=FAST, max_active=1)
    holder, other = await venue.crowd(2)
    tab = Tab(hub, venue, holder)
    await tab.until("WAITING", 1)
    row = await venue.row()
    controller = AdmissionController(
        venue.database, venue.room, venue.controller._publisher, claim_seconds=CLAIM_SECONDS
    )
    await controller.publish(row, await controller.admit(row))
    await tab.until("ADMITTED", None)

    await asyncio.sleep(CLAIM_SECONDS + 0.2)
    await controller.admit(row)

    assert await venue.states([other]) == ["WAITING"]
    assert tab.entries[-1].state == "ADMITTED"
    await tab.close()


async def test_people_passed_over_are_the_next_and_nobody_is_put_back_when_they_return(venue: Venue) -> None:
    claim_soon(venue)
    await venue.configure(admit_per_minute=FAST, max_active=2)
    people = await venue.crowd(6)
    await venue.tick()
    await pass_over(venue, 2)
    await venue.states(people[2:4])
    before = await venue.positions(people[4:])

    shown = await venue.positions(people[:2])

    assert (shown, before) == ([1, 1], [1, 2])
    assert await venue.positions(people[4:]) == before
    await venue.rooms.leave(people[2], venue.event_id)

    async def back() -> bool:
        return await venue.admitted(people[:1]) == 1

    await venue.tick_until(back)
    assert await venue.positions(people[4:]) == before
    assert await venue.states(people[1:2]) == ["WAITING"]
    assert await active(venue) == 2


async def test_people_passed_over_can_leave_when_they_are_back_or_away(venue: Venue) -> None:
    claim_soon(venue)
    await venue.configure(admit_per_minute=FAST, max_active=2)
    people = await venue.crowd(2)
    await venue.tick()
    await pass_over(venue, 2)
    await venue.rooms.entry(people[0], venue.event_id)

    left = [await venue.rooms.leave(viewer, venue.event_id) for viewer in people]

    assert left == [True, True]
    assert await venue.states(people) == ["LEFT", "LEFT"]
    await venue.tick()
    assert await active(venue) == 0


async def test_head_of_the_queue_and_positions_are_as_before_when_redis_was_emptied(venue: Venue) -> None:
    claim_soon(venue)
    await venue.configure(admit_per_minute=FAST, max_active=2)
    people = await venue.crowd(6)
    await venue.tick()
    await pass_over(venue, 2)
    await venue.states(people[2:4])
    before = await venue.positions(people[4:])

    await venue.redis.flushall()
    await venue.tick()

    assert await venue.positions(people[4:]) == before
    assert await venue.positions(people[:2]) == [1, 1]
    assert await venue.states(people[2:4]) == ["ADMITTED", "ADMITTED"]
    assert await active(venue) == 2
    assert (await venue.room.standing(venue.event_id, people[0].user_id)).outcome is Outcome.WAITING
