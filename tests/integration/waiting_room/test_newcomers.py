"""People who join a waiting room while something happens to it: an old tab's timer, an admission."""

import asyncio

import pytest

import subscriptions.queue_positions
from subscriptions.queue_positions import WaitingRoomHub
from subscriptions.waiting_room_topic import Member, WaitingRoomTopic
from tests.integration.waiting_room.test_positions import FAST, Tab, hub
from tests.integration.waiting_room.venue import Venue

__all__ = ["hub"]


class Doorway:
    """Newcomers stand in it between what Redis said of them and being watched."""

    def __init__(self, venue: Venue, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.open = asyncio.Event(), asyncio.Event()
        self.open.set()
        standing, member = venue.room.standing, WaitingRoomTopic.member
        here = self

        async def late(*arguments: object) -> object:
            found = await standing(*arguments)  # type: ignore[arg-type]
            here.reached.set()
            await here.open.wait()
            return found

        async def slow(topic: WaitingRoomTopic, user_id: object) -> Member | None:
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(venue.room, "standing", late)
                return await member(topic, user_id)  # type: ignore[arg-type]

        monkeypatch.setattr(WaitingRoomTopic, "member", slow)


async def test_a_newcomer_is_answered_when_the_waiting_room_is_about_to_be_closed(
    venue: Venue, hub: WaitingRoomHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions.queue_positions, "_LINGER_SECONDS", 0.3)
    await venue.configure(admit_per_minute=FAST, max_active=1)
    first, second = await venue.crowd(2)
    await venue.tick()
    tab = Tab(hub, venue, second)
    await tab.until("WAITING", 1)
    doorway = Doorway(venue, monkeypatch)
    doorway.open.clear()
    await tab.close()
    again = Tab(hub, venue, second)
    await doorway.reached.wait()
    await asyncio.sleep(0.6)
    doorway.open.set()
    await again.until("WAITING", 1)
    await venue.rooms.leave(first, venue.event_id)
    for _ in range(2):
        await venue.tick()
    await again.until("ADMITTED", None)
    await again.close()


async def test_an_admission_is_sent_when_it_arrived_while_its_owner_joined(
    venue: Venue, hub: WaitingRoomHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    await venue.configure(admit_per_minute=FAST, max_active=1)
    first, second, third = await venue.crowd(3)
    await venue.tick()
    other = Tab(hub, venue, third)
    await other.until("WAITING", 2)
    doorway = Doorway(venue, monkeypatch)
    doorway.open.clear()
    tab = Tab(hub, venue, second)
    await doorway.reached.wait()
    await venue.rooms.leave(first, venue.event_id)
    await venue.tick()
    await other.until("WAITING", 1)
    doorway.open.set()
    await tab.until("ADMITTED", None)
    await tab.close()
    await other.close()
