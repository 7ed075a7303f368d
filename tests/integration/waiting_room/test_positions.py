"""queuePosition on real Redis: a snapshot, every change, and the admission with its token."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from domain.errors import NotFound
from domain.viewer import Viewer
from pubsub.channels import Channels
from pubsub.redis_backend import RedisBackend
from services.waiting_room.admission_controller import AdmissionController
from services.waiting_room.waiting_rooms import QueueEntry
from subscriptions.queue_positions import WaitingRoomHub
from tests.integration.waiting_room.venue import Venue, buyer
from waiting_room.keys import waiting_room_keys
from workers.admission import AdmissionRound

FAST = 100_000
SECONDS = 10.0


@pytest.fixture
async def hub(venue: Venue) -> AsyncIterator[WaitingRoomHub]:
    """Two processes' worth of plumbing in one: the controller publishes through Redis."""
    channels = Channels(RedisBackend(venue.redis))
    await channels.open()
    venue.controller = AdmissionController(venue.database, venue.room, channels)
    hub = WaitingRoomHub(venue.rooms, channels)
    yield hub
    hub.close()
    await channels.close()


class Tab:
    """One subscriber, its entries result as they come."""

    def __init__(self, hub: WaitingRoomHub, venue: Venue, viewer: Viewer) -> None:
        self.entries: list[QueueEntry] = []
        self._came = asyncio.Condition()
        self._task = asyncio.create_task(self._read(hub, venue, viewer))

    async def _read(self, hub: WaitingRoomHub, venue: Venue, viewer: Viewer) -> None:
        stream = hub.stream(viewer, venue.event_id)
        async with contextlib.aclosing(stream):
            async for entry in stream:
                async with self._came:
                    self.entries.append(entry)
                    self._came.notify_all()

    async def until(self, state: str, position: int | None) -> QueueEntry:
        """Wait for an entry."""
        async with asyncio.timeout(SECONDS), self._came:
            await self._came.wait_for(
                lambda: (
                    bool(self.entries)
                    and (self.entries[-1].state, self.entries[-1].position) == (state, position)
                )
            )
        return self.entries[-1]

    async def until_estimated(self, state: str, position: int | None, *, known: bool) -> None:
        """Wait for an entry with an estimate, or without one."""
        async with asyncio.timeout(SECONDS), self._came:
            await self._came.wait_for(lambda: (self.entries[-1].eta_seconds is not None) == known)
        assert (self.entries[-1].state, self.entries[-1].position) == (state, position)

    async def close(self) -> None:
        """Close the tab."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task


async def test_position_falls_and_the_token_arrives_when_people_are_admitted(
    venue: Venue, hub: WaitingRoomHub
) -> None:
    await venue.configure(admit_per_minute=FAST, max_active=1)
    people = await venue.crowd(3)
    tab = Tab(hub, venue, people[2])
    await tab.until("WAITING", 3)

    await venue.tick()
    await tab.until("WAITING", 2)
    await venue.rooms.leave(people[0], venue.event_id)
    await venue.tick()
    await tab.until("WAITING", 1)
    await venue.rooms.leave(people[1], venue.event_id)
    await venue.tick()

    entry = await tab.until("ADMITTED", None)
    assert entry.token is not None
    assert await venue.rooms.check(venue.event_id, people[2].user_id, entry.token)
    await tab.close()


async def test_the_token_arrives_when_the_message_of_the_admission_was_lost(
    venue: Venue, hub: WaitingRoomHub
) -> None:
    await venue.configure(admit_per_minute=FAST, max_active=1)
    people = await venue.crowd(2)
    await venue.tick()
    tab = Tab(hub, venue, people[1])
    await tab.until("WAITING", 1)
    await venue.tick()
    await venue.rooms.leave(people[0], venue.event_id)
    result = await venue.controller.admit(await venue.row())  # and no tick is published
    assert people[1].user_id in result.changed
    await venue.tick()

    assert (await tab.until("ADMITTED", None)).token is not None
    await tab.close()


async def test_position_falls_only_for_those_behind_when_someone_in_the_line_leaves(
    venue: Venue, hub: WaitingRoomHub
) -> None:
    await venue.configure(admit_per_minute=1, max_active=1)
    people = await venue.crowd(6)
    await venue.tick()
    tabs = [Tab(hub, venue, viewer) for viewer in people[1:]]
    for number, tab in enumerate(tabs, start=1):
        await tab.until("WAITING", number)

    await venue.rooms.leave(people[3], venue.event_id)
    await venue.tick()

    await tabs[2].until("LEFT", None)
    await tabs[3].until("WAITING", 3)
    await tabs[4].until("WAITING", 4)
    assert tabs[0].entries[-1].position == 1
    assert tabs[1].entries[-1].position == 2
    for tab in tabs:
        await tab.close()


async def test_worked_out_positions_equal_redis_when_many_leave_and_are_admitted(
    venue: Venue, hub: WaitingRoomHub
) -> None:
    await venue.configure(admit_per_minute=FAST, max_active=15)
    people = await venue.crowd(60)
    tabs = {viewer.subject: Tab(hub, venue, viewer) for viewer in people}
    for number, viewer in enumerate(people, start=1):
        await tabs[viewer.subject].until("WAITING", number)

    for leaver in people[10::3]:
        await venue.rooms.leave(leaver, venue.event_id)
        await venue.tick()
    await venue.tick_until(lambda: _full(venue, 15))

    for viewer, position in zip(people, await venue.positions(people), strict=True):
        entry = await venue.rooms.entry(viewer, venue.event_id)
        assert entry is not None
        await tabs[viewer.subject].until(entry.state, position)
        positions = [entry.position for entry in tabs[viewer.subject].entries if entry.position]
        assert positions == sorted(positions, reverse=True)
        await tabs[viewer.subject].close()


async def _full(venue: Venue, number: int) -> bool:
    state = await venue.room.state(venue.event_id)
    return state is not None and state.active >= number


async def test_both_tabs_are_admitted_with_one_token_when_one_account_has_two(
    venue: Venue, hub: WaitingRoomHub
) -> None:
    await venue.configure(admit_per_minute=FAST, max_active=1)
    people = await venue.crowd(1)
    tabs = [Tab(hub, venue, people[0]), Tab(hub, venue, people[0])]
    for tab in tabs:
        await tab.until("WAITING", 1)

    await venue.tick()

    entries = [await tab.until("ADMITTED", None) for tab in tabs]
    assert entries[0].token == entries[1].token
    for tab in tabs:
        await tab.close()


async def test_the_end_of_an_admission_is_sent_when_its_time_is_over(
    venue: Venue, hub: WaitingRoomHub
) -> None:
    await venue.configure(admit_per_minute=FAST, max_active=1, admission_seconds=1)
    people = await venue.crowd(1)
    tab = Tab(hub, venue, people[0])
    await venue.tick()
    await tab.until("ADMITTED", None)

    async def lapsed() -> bool:
        return (await venue.room.state(venue.event_id)).active == 0  # type: ignore[union-attr]

    await venue.tick_until(lapsed)

    ended = await tab.until("EXPIRED", None)
    assert ended.token is None
    await tab.close()


async def test_place_is_kept_when_redis_is_emptied_under_a_subscriber(
    venue: Venue, hub: WaitingRoomHub
) -> None:
    await venue.configure(admit_per_minute=1, max_active=1)
    people = await venue.crowd(4)
    await venue.tick()
    tab = Tab(hub, venue, people[3])
    await tab.until("WAITING", 3)

    await venue.redis.flushall()
    await venue.tick()
    await venue.rooms.leave(people[1], venue.event_id)
    await venue.tick()

    await tab.until("WAITING", 2)
    assert [entry.position for entry in tab.entries] == [3, 2]
    await tab.close()


async def test_stream_is_refused_when_the_caller_never_joined(venue: Venue, hub: WaitingRoomHub) -> None:
    await venue.configure()

    with pytest.raises(NotFound):
        async for _ in hub.stream(buyer(), venue.event_id):
            pass

    assert hub.members == 0


async def test_the_grace_time_starts_when_the_last_tab_is_closed(venue: Venue, hub: WaitingRoomHub) -> None:
    await venue.configure(admit_per_minute=1, max_active=1)
    people = await venue.crowd(2)
    await venue.tick()
    tabs = [Tab(hub, venue, people[1]), Tab(hub, venue, people[1])]
    for tab in tabs:
        await tab.until("WAITING", 1)

    await tabs[0].close()
    after_one = await venue.redis.zcard(waiting_room_keys(venue.event_id).away)
    await tabs[1].close()

    async def marked() -> bool:
        return bool(await venue.redis.zcard(waiting_room_keys(venue.event_id).away))

    await venue.tick_until(marked)
    assert after_one == 0
    assert await venue.states([people[1]]) == ["WAITING"]


async def test_one_message_a_tick_is_published_when_a_round_of_the_worker_runs(venue: Venue) -> None:
    await venue.configure(admit_per_minute=FAST, max_active=5)
    people = await venue.crowd(20)
    do_round = AdmissionRound(venue.controller)

    await do_round()
    messages = len(venue.announcements.messages)

    assert messages == 1
    assert await venue.admitted(people) >= 1


async def test_everyone_is_notified_at_once_when_the_sale_sells_out_and_reopens(
    venue: Venue, hub: WaitingRoomHub
) -> None:
    await venue.configure(admit_per_minute=1, max_active=10)
    people = await venue.crowd(4)
    await venue.tick()
    tabs = [Tab(hub, venue, viewer) for viewer in people[1:]]
    for number, tab in enumerate(tabs, start=1):
        entry = await tab.until("WAITING", number)
        assert entry.eta_seconds is not None

    for sold_out in (True, False):
        await venue.database.fetch("UPDATE events SET sold_out = $2 WHERE id = $1", venue.event_id, sold_out)
        await venue.controller.open(venue.event_id)
        await venue.tick()
        for number, tab in enumerate(tabs, start=1):
            await tab.until_estimated("WAITING", number, known=not sold_out)

    for tab in tabs:
        await tab.close()
