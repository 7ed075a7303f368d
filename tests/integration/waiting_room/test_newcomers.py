"""Whoever comes to a line while something happens to it: an old tab's timer, an admission."""

import asyncio

import pytest

import subscriptions.queue_positions
from subscriptions.queue_positions import WaitingRoomHub
from subscriptions.waiting_room_topic import Member, WaitingRoomTopic
from tests.integration.waiting_room.house import House
from tests.integration.waiting_room.test_positions import FAST, Tab, hub

__all__ = ["hub"]


class Doorway:
    """Newcomers stand in it between what Redis said of them and being watched."""

    def __init__(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.open = asyncio.Event(), asyncio.Event()
        self.open.set()
        standing, member = house.room.standing, WaitingRoomTopic.member
        here = self

        async def late(*arguments: object) -> object:
            found = await standing(*arguments)  # type: ignore[arg-type]
            here.reached.set()
            await here.open.wait()
            return found

        async def slow(line: WaitingRoomTopic, user_id: object) -> Member | None:
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(house.room, "standing", late)
                return await member(line, user_id)  # type: ignore[arg-type]

        monkeypatch.setattr(WaitingRoomTopic, "member", slow)


async def test_who_comes_is_told_when_the_line_was_about_to_be_closed(
    house: House, hub: WaitingRoomHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions.queue_positions, "_LINGER_SECONDS", 0.3)
    await house.configure(admit_per_minute=FAST, max_active=1)
    first, second = await house.crowd(2)
    await house.tick()
    tab = Tab(hub, house, second)
    await tab.until("WAITING", 1)
    doorway = Doorway(house, monkeypatch)
    doorway.open.clear()
    await tab.close()
    again = Tab(hub, house, second)
    await doorway.reached.wait()
    await asyncio.sleep(0.6)
    doorway.open.set()
    await again.until("WAITING", 1)
    await house.rooms.leave(first, house.event_id)
    for _ in range(2):
        await house.tick()
    await again.until("ADMITTED", None)
    await again.close()


async def test_an_admission_is_told_when_it_was_heard_while_its_owner_came(
    house: House, hub: WaitingRoomHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.configure(admit_per_minute=FAST, max_active=1)
    first, second, third = await house.crowd(3)
    await house.tick()
    other = Tab(hub, house, third)
    await other.until("WAITING", 2)
    doorway = Doorway(house, monkeypatch)
    doorway.open.clear()
    tab = Tab(hub, house, second)
    await doorway.reached.wait()
    await house.rooms.leave(first, house.event_id)
    await house.tick()
    await other.until("WAITING", 1)
    doorway.open.set()
    await tab.until("ADMITTED", None)
    await tab.close()
    await other.close()
