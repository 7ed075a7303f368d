"""Who had an admission gets another one only after everybody who has had none."""

import asyncio

import pytest

from db.queries.waiting_rooms import WaitingRoomRow
from domain.viewer import Viewer
from kit.lua import LuaScript
from tests.integration.waiting_room.venue import Venue, buyer
from waiting_room.scripts import SCRIPTS

FAST = 100_000
SECOND = (1 << 52) + (1 << 51)


async def join(venue: Venue, viewer: Viewer) -> int | None:
    return (await venue.rooms.join(viewer, venue.event_id)).position


async def admitted_one(venue: Venue) -> Viewer:
    """A person who is shopping, in a room with space for one."""
    await venue.configure(admit_per_minute=FAST, max_active=1)
    viewer = buyer()
    await join(venue, viewer)

    async def is_in() -> bool:
        return await venue.admitted([viewer]) == 1

    await venue.tick_until(is_in)
    return viewer


async def order_of_admission(venue: Venue, viewers: list[Viewer]) -> list[int]:
    """The indexes of viewers in the order in which the room lets them in, one at a time."""
    found: list[int] = []

    async def all_in() -> bool:
        for number, viewer in enumerate(viewers):
            if number not in found and await venue.admitted([viewer]) == 1:
                found.append(number)
                await venue.rooms.leave(viewer, venue.event_id)
        return len(found) == len(viewers)

    await venue.tick_until(all_in)
    return found


async def leave(venue: Venue, viewer: Viewer) -> None:
    await venue.rooms.leave(viewer, venue.event_id)


async def book(venue: Venue, viewer: Viewer) -> None:
    standing = await venue.room.standing(venue.event_id, viewer.user_id)
    assert await venue.room.finish(venue.event_id, viewer.user_id, standing.nonce)


async def lapse(venue: Venue, viewer: Viewer) -> None:
    await venue.redis.zadd(f"wr:{{{venue.event_id}}}:active", {viewer.user_id.bytes: 1})
    await venue.tick()


async def lapse_unnoticed(venue: Venue, viewer: Viewer) -> None:
    await venue.redis.zadd(f"wr:{{{venue.event_id}}}:active", {viewer.user_id.bytes: 1})


ENDINGS = {"left": leave, "booked": book, "lapsed": lapse, "lapsed, and no worker saw it": lapse_unnoticed}


@pytest.mark.parametrize("ending", ENDINGS)
async def test_a_second_admission_comes_after_those_who_come_later_still(venue: Venue, ending: str) -> None:
    again = await admitted_one(venue)
    await ENDINGS[ending](venue, again)
    await venue.configure(admit_per_minute=1, max_active=1)
    position = await join(venue, again)
    first, second = buyer(), buyer()

    assert position is None
    assert [await join(venue, each) for each in (first, second)] == [1, 2]
    await venue.configure(admit_per_minute=FAST, max_active=1)
    assert await order_of_admission(venue, [again, first, second]) == [1, 2, 0]


async def test_the_place_is_ahead_of_later_ones_when_the_guard_is_taken_out(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = "(had_admission and SECOND or ARRIVED)"
    assert SCRIPTS["join"].text.count(guard) == 1
    text = SCRIPTS["join"].text.replace(guard, "ARRIVED")
    monkeypatch.setitem(SCRIPTS, "join", LuaScript("join", text, "1" * 40))
    again = await admitted_one(venue)
    await leave(venue, again)
    await venue.configure(admit_per_minute=1, max_active=1)

    assert [await join(venue, each) for each in (again, buyer())] == [1, 2]


async def test_a_place_that_was_never_an_admission_keeps_its_turn_when_given_up(venue: Venue) -> None:
    """Only an admission counts: leaving the queue costs the place and nothing more."""
    await venue.configure(admit_per_minute=1, max_active=1)
    once, other = buyer(), buyer()
    await join(venue, once)
    await join(venue, other)

    await leave(venue, once)

    assert await join(venue, once) == 2
    assert await join(venue, buyer()) == 3


async def test_leaving_the_queue_does_not_wash_an_admission_off(venue: Venue) -> None:
    again = await admitted_one(venue)
    await leave(venue, again)
    await venue.configure(admit_per_minute=1, max_active=1)
    for _ in range(3):
        assert await join(venue, again) is None
        await leave(venue, again)

    assert await join(venue, again) is None
    assert await join(venue, buyer()) == 1


async def test_the_order_is_kept_when_redis_is_emptied(venue: Venue) -> None:
    again = await admitted_one(venue)
    await leave(venue, again)
    gone = await admitted_one(venue)
    await venue.tick()
    await leave(venue, gone)
    await venue.configure(admit_per_minute=1, max_active=1)
    assert await join(venue, again) is None
    first = buyer()
    await join(venue, first)
    await venue.tick()

    await venue.redis.flushall()
    await venue.tick()
    position = await join(venue, gone)

    assert position is None
    await venue.configure(admit_per_minute=FAST, max_active=1)
    assert await order_of_admission(venue, [gone, again, first]) == [2, 1, 0]


async def test_who_is_passed_over_at_a_second_admission_does_not_come_back_ahead(venue: Venue) -> None:
    """The head of the queue is for people who were passed over at their first one."""
    again = await admitted_one(venue)
    await leave(venue, again)
    await join(venue, again)
    row = await venue.row()

    async def offered_and_passed() -> bool:
        await passing_tick(venue, row)
        return await venue.redis.zcard(f"wr:{{{venue.event_id}}}:passed") == 1

    async with asyncio.timeout(15):
        while not await offered_and_passed():
            await asyncio.sleep(0.01)
    await venue.configure(admit_per_minute=1, max_active=1)
    first = buyer()
    await join(venue, first)

    assert (await venue.positions([again, first])) == [None, 1]
    assert (await venue.room.standing(venue.event_id, again.user_id)).place >= SECOND
    await venue.configure(admit_per_minute=FAST, max_active=1)
    assert await order_of_admission(venue, [again, first]) == [1, 0]


async def passing_tick(venue: Venue, row: WaitingRoomRow) -> None:
    """A round in which an admission is passed over at once unless it is taken up."""
    tick = await venue.room.tick(row.event_id, claim_ms=0)
    assert tick is not None
    await venue.room.confirm(row.event_id, tick.generation, through="", admitted=tick.offers)
